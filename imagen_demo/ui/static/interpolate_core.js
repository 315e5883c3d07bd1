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
const stretchTo = (total) => { // the segments keep their shares
  const factor = total / seconds();
  segments().forEach((key) => { key.seconds = Math.max(0.05, Math.round(key.seconds * factor * 1000) / 1000); });
};

const { note, say, told, clip } = D.noteLine('interpolate-note');

// What happens when the film changes (`onChange`) and when its controls should be drawn anew (`onPaint`).
const onChange = [], onPaint = [];
const paint = () => onPaint.forEach((work) => work());
let version = 0;
const changed = () => { version += 1; say(''); paint(); onChange.forEach((work) => work(version)); };

// The address bar holds the film.
let linkTimer = 0, link = '';
const askLink = D.newest(async (of, newest) => {
  const answer = await D.ask(server.link, { timeline: wanted() });
  if (!newest() || of !== version || answer.error) return;
  link = answer.query;
  D.address('interpolate', link);
});
const linkLater = () => { clearTimeout(linkTimer); link = ''; if (enough()) linkTimer = setTimeout(() => askLink(version), 300); };
onChange.push(linkLater);
const restated = () => { say(''); paint(); linkLater(); }; // the file is another, the pictures are the same

const number = (id, label, low, high, step, get, set) => {
  const box = h('input', { id, type: 'number', min: low, max: high, step, 'aria-label': label });
  box.addEventListener('change', () => {
    const value = box.value === '' || Number.isNaN(+box.value) ? get() : Math.min(high, Math.max(low, +box.value));
    set(value);
    box.value = get();
  });
  return box;
};
const named = (recipe) => recipe.seeds.map(([seed]) => seed).join(' + ');
