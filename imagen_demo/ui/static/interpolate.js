// The Interpolate tab: keyframes, their order and timing. `spec` is what Python turns into a video.
const D = window.imagenDemo, { h, button } = D, T = D.texts(props.texts);
const root = element.querySelector('.im-root');
const FRAMES = 10, PREVIEW = 48; // frames in the film strip, and in the moving preview
let model = null, keys = []; // keys: [{recipe, image}]
const spec = { space: 'w', easing: 'smooth', seconds: 6, fps: 30, loop: true, size: 512 };

const note = h('p', { class: 'im-note', id: 'interpolate-note', role: 'status' });
const say = (text, bad = false) => { note.textContent = text || ''; note.classList.toggle('im-bad', bad); };
const wanted = () => ({ ...D.clone(spec), recipes: keys.map((key) => key.recipe) });

// -- the moving preview ---------------------------------------------------------------------------
const screen = h('img', { id: 'interpolate-preview', alt: T('i_preview') });
const frame = h('div', { class: 'im-frame im-frame-small' }, screen);
const film = h('div', { class: 'im-film', id: 'interpolate-film', 'aria-label': T('i_film') });
let strip = [], moving = [], playing = false, started = 0, version = 0;
const tick = (now) => {
  if (!playing || !root.isConnected) return;
  const frames = moving.length ? moving : strip;
  if (frames.length) {
    const part = ((now - started) / 1000 / spec.seconds) % 1;
    screen.src = frames[Math.floor(part * frames.length)];
  }
  requestAnimationFrame(tick);
};
const play = button('interpolate-play', T('i_play'), 'play', () => {
  playing = !playing;
  play.setAttribute('aria-pressed', playing);
  play.replaceChildren(D.icon(playing ? 'pause' : 'play'), h('span', {}, T(playing ? 'i_pause' : 'i_play')));
  if (!playing) return;
  started = performance.now();
  requestAnimationFrame(tick);
  if (!moving.length) loadMoving(version);
});
const loadMoving = D.newest(async (of) => {
  const answer = await D.ask(server.film, { ...wanted(), count: PREVIEW, side: 256 });
  if (of === version && answer.images) moving = answer.images;
});
const loadStrip = D.newest(async (_, newest) => {
  if (keys.length < 2) { strip = []; film.replaceChildren(); say(T('i_two')); return; }
  const of = version, answer = await D.ask(server.film, { ...wanted(), count: FRAMES, side: 192 });
  if (!newest() || of !== version) return;
  if (answer.error) { say(answer.error, true); return; }
  say('');
  strip = answer.images;
  film.replaceChildren(...strip.map((src, index) => h('img', { src, alt: `${T('i_frame')} ${index + 1}` })));
  if (!playing) screen.src = strip[0];
  else loadMoving(of);
});
const changed = () => { version += 1; moving = []; make.disabled = keys.length < 2; return loadStrip(version); };

// -- keyframes -------------------------------------------------------------------------------------
const list = h('div', { class: 'im-keys', id: 'interpolate-keys', role: 'list' });
const move = (index, by) => { const [key] = keys.splice(index, 1); keys.splice(index + by, 0, key); paintKeys(); changed(); };
const paintKeys = () => list.replaceChildren(...keys.map((key, index) => {
  const seed = key.recipe.seeds[0][0];
  const small = (name, text, does, off) => {
    const b = button(null, `${T(text)} (${T('c_seed')} ${seed})`, name, does, { bare: true });
    b.disabled = !!off;
    return b;
  };
  return h('div', { class: 'im-key', role: 'listitem', 'data-seed': String(seed) },
    h('img', { src: key.image, alt: `${T('c_seed')} ${seed}`, class: model?.alpha ? 'im-alpha' : '' }),
    h('div', { class: 'im-key-bar' }, small('left', 'i_earlier', () => move(index, -1), index === 0),
      h('span', {}, String(seed)), small('right', 'i_later', () => move(index, 1), index === keys.length - 1)),
    small('remove', 'i_remove', () => { keys.splice(index, 1); paintKeys(); changed(); }));
}));
const add = async (recipes) => {
  const answer = await D.ask(server.draw, { recipes, side: 192 });
  if (answer.error) { say(answer.error, true); return; }
  keys.push(...recipes.map((recipe, index) => ({ recipe, image: answer.images[index] })));
  paintKeys();
  await changed();
};
const fromSeed = (seed) => ({
  model: model.name, model_hash: '', seeds: [[seed, 1]], psi: props.default_psi,
  label: model.classes.length ? +classBox.value : null, directions: [], size: null,
});
const seedBox = h('input', { id: 'interpolate-seed', type: 'number', min: 0, max: 4294967295, step: 1, placeholder: T('c_seed'), 'aria-label': T('c_seed') });
const addSeed = () => {
  const seed = seedBox.value === '' ? D.randomSeed() : Math.min(4294967295, Math.max(0, Math.round(+seedBox.value)));
  seedBox.value = '';
  return add([fromSeed(seed)]);
};
seedBox.addEventListener('keydown', (event) => { if (event.key === 'Enter') addSeed(); });
const addButton = button('interpolate-add', T('i_add'), 'add', addSeed);
const random = button('interpolate-random', T('c_random'), 'random', () => add([fromSeed(D.randomSeed())]));
const current = button('interpolate-current', T('i_current'), 'add', () => { if (D.current) accept(D.clone(D.current.recipe)); });

// -- settings ---------------------------------------------------------------------------------------
const choice = (id, label, pairs, key, number = false) => {
  const select = h('select', { id, 'aria-label': label });
  D.options(select, pairs, spec[key]);
  select.addEventListener('change', () => { spec[key] = number ? +select.value : select.value; changed(); });
  return D.field(label, select);
};
const modelBox = D.modelMenu('interpolate-model', T('c_model'), server, () => model?.name);
modelBox.addEventListener('change', async () => {
  const seeds = keys.map((key) => key.recipe.seeds[0][0]);
  if (!(await adopt(modelBox.value))) return;
  keys = [];
  await add(seeds.map(fromSeed));
});
const classBox = h('select', { id: 'interpolate-class', 'aria-label': T('c_class') });
classBox.addEventListener('change', async () => { // the whole way in the chosen class
  const recipes = keys.map((key) => ({ ...key.recipe, label: +classBox.value }));
  keys = [];
  await add(recipes);
});
const classField = D.field(T('c_class'), classBox);
const seconds = D.slider({
  id: 'interpolate-seconds', label: T('i_seconds'), min: 1, max: 60, step: 1, initial: spec.seconds, oninput: (value) => { spec.seconds = value; },
});
const loop = h('input', { id: 'interpolate-loop', type: 'checkbox', checked: true });
loop.addEventListener('change', () => { spec.loop = loop.checked; changed(); });
const make = button('interpolate-make', T('i_make'), 'play', () => trigger('make', { spec: wanted(), job: D.ticket() }), { kind: 'im-primary' });
const panel = h('section', { class: 'im-panel' },
  D.field(T('c_model'), modelBox), classField, seconds.node,
  h('label', { class: 'im-check' }, loop, h('span', {}, T('i_loop'))),
  h('div', { class: 'im-pair' },
    choice('interpolate-space', T('i_space'), [['w', T('i_space_w')], ['z', T('i_space_z')]], 'space'),
    choice('interpolate-easing', T('i_easing'), props.easings.map((name) => [name, T(`i_ease_${name}`)]), 'easing')),
  h('div', { class: 'im-pair' },
    choice('interpolate-fps', T('i_fps'), [12, 24, 30, 60].map((n) => [n, n]), 'fps', true),
    choice('interpolate-size', T('i_size'), [256, 512, 1024].map((n) => [n, `${n} px`]), 'size', true)),
  make);
const page = h('div', { class: 'im-columns' },
  h('section', { class: 'im-stage' }, frame, h('div', { class: 'im-bar' }, play), film, note,
    h('h3', { class: 'im-title' }, T('i_keys')), list,
    h('div', { class: 'im-bar' }, seedBox, addButton, random, current)), panel);

// -- models and messages ---------------------------------------------------------------------------
const adopt = async (name) => {
  const answer = await D.ask(server.describe, { model: name });
  if (answer.error) { say(answer.error, true); if (model) modelBox.value = model.name; return false; }
  model = answer.model;
  modelBox.choose(model.name);
  D.options(classBox, model.classes.map((title, index) => [index, title]), 0);
  classField.hidden = !model.classes.length;
  for (const place of [frame, film]) place.classList.toggle('im-alpha', model.alpha);
  return true;
};
const accept = async (recipe) => { // another tab's picture
  if (!model || recipe.model !== model.name) {
    if (!(await adopt(recipe.model))) return;
    keys = [];
    if (model.classes.length) classBox.value = String(recipe.label ?? 0);
    await add([recipe, fromSeed(D.randomSeed())]);
  } else await add([recipe]);
};
const start = async (message) => {
  const answer = await D.ask(server.models, {});
  if (answer.error || !answer.models.length) {
    root.replaceChildren(D.empty(answer.error || T('c_no_model'), T('c_no_model_help'), T('c_to_train'), 'interpolate'));
    D.waitForModels(server, root, () => { if (!model) start(); });
    return;
  }
  modelBox.fill(answer.models, answer.models[0].name);
  root.replaceChildren(page);
  const first = message?.add || D.current?.recipe;
  if (!(await adopt(first?.model || answer.models[0].name))) return;
  if (first?.label != null) classBox.value = String(first.label);
  const seed = first ? first.seeds[0][0] : 0;
  await add([first ? D.clone(first) : fromSeed(0), ...[1, 2, 3].map((step) => fromSeed(seed + step))]);
};
start(D.on('interpolate', (later) => { if (later.add) accept(later.add); }));
