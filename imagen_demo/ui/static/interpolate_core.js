// The Interpolate tab, 1: its state. The scripts interpolate_*.js share one scope inside gr.HTML, which gives element,
// props, server, trigger and upload. `keys` are the keyframes; a key's `seconds` and `easing` are those of the segment
// after it. `spec` holds the other fields of studio/timeline.py; `wanted()` is all of it, as Python reads it.
const D = window.imagenDemo, { h, button, MOST_SEED } = D, T = D.texts(props.texts);
const root = element.querySelector('.im-root');
const MOST_KEYS = 64, MOST_SECONDS = 600;
const ALONE = ['loop', 'walk']; // start at the first keyframe and need no other
let model = null, keys = []; // keys: [{recipe, image, seconds, easing}]
const spec = {
  kind: 'w', closed: true, even: false, radius: 0.5, seed: 0, speed: 0.5, fps: 30, size: 512,
  format: 'mp4', background: 'transparent', sound: '', react: 0.7,
};
const alone = () => ALONE.includes(spec.kind);
const isClosed = () => spec.closed && keys.length > 1;
const returns = () => spec.kind === 'loop' || (isClosed() && spec.kind !== 'walk');
const segments = () => keys.slice(0, Math.max(1, keys.length - (isClosed() ? 0 : 1)));
const seconds = () => segments().reduce((sum, key) => sum + key.seconds, 0);
const frameCount = () => Math.max(segments().length + 1, Math.round(seconds() * spec.fps));
const enough = () => keys.length >= (alone() ? 1 : 2);
const wanted = () => ({
  ...D.clone(spec), closed: isClosed(), recipes: keys.map((key) => key.recipe),
  seconds: segments().map((key) => key.seconds), easings: segments().map((key) => key.easing),
});
const LEAST = 0.05; // seconds of a segment
const stretchTo = (total) => { // the segments keep their shares, as far as none gets less than the least
  const all = segments(), sum = (keys) => keys.reduce((so, key) => so + key.seconds, 0);
  let free = all, factor = total / sum(free), short = [];
  const tooShort = (key) => key.seconds * factor < LEAST;
  while ((short = free.filter(tooShort)).length) {
    free = free.filter((key) => !tooShort(key));
    short.forEach((key) => { key.seconds = LEAST; });
    factor = (total - LEAST * (all.length - free.length)) / sum(free);
  }
  free.forEach((key) => { key.seconds = Math.round(key.seconds * factor * 1000) / 1000; });
  const longest = free.reduce((a, b) => (b.seconds > a.seconds ? b : a), free[0]); // it gets what rounding left
  if (longest) longest.seconds = Math.max(LEAST, Math.round((longest.seconds + total - seconds()) * 1000) / 1000);
};

const { note, say, said, warn, told, clip } = D.noteLine('interpolate-note');

// What happens when the film changes (`onChange`) and when its controls should be drawn anew (`onPaint`).
const onChange = [], onPaint = [];
const paint = () => onPaint.forEach((work) => work());
let version = 0;
const renewed = (said = '') => { version += 1; say(said, !!said); paint(); onChange.forEach((work) => work(version)); };
// An edit is complete: of the control `by`, where quick steps of it are to be one; `said` is what there is to say of it.
const changed = (by, said) => { renewed(said); steps.remember(state(), by); };

// What undo and redo go back to: the model, the fields and the keyframes, whose pictures stay here, by their recipes.
const images = new Map();
const state = () => {
  keys.forEach(({ recipe, image }) => images.set(JSON.stringify(recipe), image));
  return JSON.stringify({ model: model.name, fields: spec, list: keys.map(({ image, ...rest }) => rest) });
};
const steps = D.steps('interpolate', T, async ({ model: of, fields, list }) => {
  if (of !== model.name && !(await adopt(of))) return false;
  Object.assign(spec, fields);
  keys = list.map((key) => ({ ...key, image: images.get(JSON.stringify(key.recipe)) }));
  if (model.classes.length && keys.length) classBox.value = String(keys[0].recipe.label ?? 0);
  soundAgain(fields.sound);
  renewed();
  return true;
});

// The address bar holds the film.
let linkTimer = 0, link = '';
const askLink = D.newest(async (of, newest) => {
  const answer = await D.ask(server.link, { timeline: wanted() });
  if (!newest() || of !== version || !told(answer)) return;
  link = answer.query;
  D.address('interpolate', link);
});
window.addEventListener('pagehide', () => { if (root.isConnected && link && !untouched()) D.keepFor('interpolate', new URLSearchParams(link).get('t')); });
const linkLater = () => { clearTimeout(linkTimer); link = ''; if (enough()) linkTimer = setTimeout(() => askLink(version), 300); };
onChange.push(linkLater);
const restated = () => { say(''); paint(); linkLater(); steps.remember(state()); }; // the file is another, the pictures are the same

const limits = (name, low, high) => T('c_limits', { name, low, high });
const limited = D.limits(T, warn);
const named = (recipe) => recipe.seeds.map(([seed]) => seed).join(' + ');
