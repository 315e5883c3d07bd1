// Every word of the page, English and Chinese.
const TEXTS = {
  loading: ['Loading …', '加载中…'],
  loading_part: ['Loading, {percent} %', '加载中，{percent} %'],
  preparing: ['Preparing the networks …', '正在准备网络…'],
  failed: ['This page could not be loaded: {why}', '页面无法加载：{why}'],
  picture: ['The generated picture', '生成的图片'],
  seed: ['Seed', '种子'],
  previous: ['Previous seed', '上一个种子'],
  next: ['Next seed', '下一个种子'],
  random: ['Random', '随机'],
  play: ['Play', '播放'],
  pause: ['Pause', '暂停'],
  keep: ['Keep', '收藏'],
  keep_help: ['Keep this picture as a stop of the walk', '将此图收藏为漫步的一站'],
  kept: ['Pictures the walk goes through', '漫步经过的图片'],
  open: ['Show seed {seed}', '显示种子 {seed}'],
  remove: ['Remove seed {seed}', '移除种子 {seed}'],
  download: ['Download PNG', '下载 PNG'],
  share: ['Copy link', '复制链接'],
  copied: ['Link copied.', '链接已复制。'],
  not_copied: ['Copy the address of this page: it is the link.', '请复制本页地址，它就是链接。'],
  reset: ['Reset sliders', '滑块复位'],
  class: ['Class', '类别'],
  mixed: ['mixed', '混合'],
  psi: ['Truncation ψ', '截断 ψ'],
  psi_help: ['Low: typical, clean pictures. High: varied, riskier ones.', '低：典型而干净；高：多样但可能失真。'],
  noise: ['Noise seed', '噪声种子'],
  noise_help: ['Detail that no slider rules; 0: the model’s own', '滑块管不到的细节；0 为模型自带的噪声'],
  speed: ['Seconds from picture to picture', '每段秒数'],
  directions: ['Directions', '方向'],
  more: ['More directions', '更多方向'],
  layers: ['{name} (layers {layers})', '{name}（{layers}层）'],
  coarse: ['coarse', '粗'],
  middle: ['middle', '中'],
  fine: ['fine', '细'],
  slider_help: ['Double-click resets', '双击复位'],
  also: ['Also in this picture: {what}.', '此图还包含：{what}。'],
  also_fine: ['fine layers of seed {seeds} from layer {split}', '从第 {split} 层起使用种子 {seeds} 的细节'],
  also_blend: ['several seeds blended', '多个种子混合'],
  also_psis: ['truncation layer by layer', '逐层截断'],
  also_nearest: ['truncation towards the nearest centre', '向最近中心截断'],
  other_model: ['This link is of the model {name}; this page has {own}, so the picture differs.', '此链接属于模型 {name}；本页为 {own}，图片会不同。'],
  other_version: ['This link is of another version of the model, so the picture differs.', '此链接属于该模型的另一版本，图片会不同。'],
  unreadable: ['The link’s {key} cannot be {value}; it was left out.', '链接中的 {key} 不能是 {value}，已忽略。'],
  film: ['This link is of a film; this page shows single pictures, so it was left out.', '此链接是一部影片；本页只显示单张图片，已忽略。'],
  seed_wrong: ['A seed is a whole number from 0 to {most}.', '种子须为 0 到 {most} 的整数。'],
  no_size: ['Pictures here have the model’s own size, {side} × {side}; the link asks for {size}.', '本页图片为模型自身尺寸 {side} × {side}；链接要求 {size}。'],
  no_class: ['This model has no class number {label}; the picture is shown without.', '此模型没有编号为 {label} 的类别，因此未应用。'],
  no_direction: ['This page has no direction {id}; the picture is shown without.', '本页没有方向 {id}，因此未应用。'],
  no_layers: ['This model has no layers {layers}: it has {count}, counted from 0; the picture is shown without.', '此模型没有第 {layers} 层：共 {count} 层，从 0 计，因此未应用。'],
  no_centres: ['This page has no cluster centres for this model’s classes; truncation goes towards the mean.', '本页没有此模型类别的聚类中心，改为向均值截断。'],
  webgpu: ['Drawn in your browser on the GPU (WebGPU).', '由浏览器在显卡上绘制（WebGPU）。'],
  wasm: ['Drawn in your browser on the processor (WebAssembly).', '由浏览器在处理器上绘制（WebAssembly）。'],
  made: ['Made with Imagen Demo; pictures are AI-generated.', '由 Imagen Demo 制作；图片由 AI 生成。'],
  licence: ['Model: {licence}.', '模型许可：{licence}。'],
  theme: ['Light or dark', '浅色 / 深色'],
};

let chosen = 'en';
try { chosen = localStorage.getItem('imagen-language') || (navigator.language.startsWith('zh') ? 'zh' : 'en'); } catch { /* no storage */ }

export const language = () => chosen;
export function setLanguage(value) {
  chosen = value;
  try { localStorage.setItem('imagen-language', value); } catch { /* no storage */ }
}
export const t = (key, values = {}) =>
  TEXTS[key][chosen === 'zh' ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => values[name]);
