// The Explore tab. State is one recipe (the JSON of studio/recipes.py); every control edits it,
// `show` draws it, the address bar holds it. Runs inside gr.HTML: element, props, server are given.
const D = window.imagenDemo, { h, button } = D, T = D.texts(props.texts);
const root = element.querySelector('.im-root');
const SHOWN = 8; // directions in sight; the rest are folded away
let recipe = null, model = null;
let past = [], future = [], committed = null;

// -- the picture ------------------------------------------------------------------------------
const picture = h('img', { id: 'explore-picture', alt: T('x_picture'), draggable: false });
const frame = h('div', { class: 'im-frame', id: 'explore-frame' }, picture);
const note = h('p', { class: 'im-note', id: 'explore-note', role: 'status' });
const say = (text, bad = false) => { note.textContent = text || ''; note.classList.toggle('im-bad', bad); };

let addressTimer = 0;
const address = (query) => {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => {
    const other = new URLSearchParams(location.search), theme = other.get('__theme');
    history.replaceState(history.state, '', `?${query}${theme ? `&__theme=${theme}` : ''}`);
  }, 150);
};
let last = { query: '', of: '' }; // the newest picture's link, and its recipe
const show = D.newest(async (wanted) => {
  const answer = await D.ask(server.render, { recipe: wanted });
  if (answer.error) { say(answer.error, true); return; }
  picture.src = answer.image;
  frame.dataset.updates = 1 + +(frame.dataset.updates || 0); // lets tests count pictures
  last = { query: answer.query, of: JSON.stringify(wanted) };
  address(answer.query);
});
const draw = () => { D.current = { recipe: D.clone(recipe), model }; say(''); return show(D.clone(recipe)); };

// -- the row of neighbouring seeds -----------------------------------------------------------------
const ROW = 8;
const row = h('div', { class: 'im-row', id: 'explore-row', 'aria-label': T('x_row') });
let shownRow = '';
const drawRow = D.newest(async ([start, plain], newest) => {
  const recipes = Array.from({ length: ROW }, (_, index) => ({ ...plain, seeds: [[start + index, 1]] }));
  const answer = await D.ask(server.draw, { recipes, side: 128 });
  if (!newest() || !answer.images) return;
  row.replaceChildren(...answer.images.map((src, index) => h('button', { type: 'button', class: `im-cell ${model.alpha ? 'im-alpha' : ''}`,
    'aria-label': `${T('c_seed')} ${start + index}`, 'data-seed': String(start + index), onclick: () => setSeed(start + index) },
  h('img', { src, alt: '' }), h('span', {}, String(start + index)))));
  markRow();
});
const markRow = () => [...row.children].forEach((cell) => cell.setAttribute('aria-pressed', cell.dataset.seed === String(recipe.seeds[0][0])));
const paintRow = () => { // anew only when the seed leaves the row, or the model or class changes
  const start = Math.min(4294967296 - ROW, ROW * Math.floor(recipe.seeds[0][0] / ROW));
  const plain = { ...recipe, directions: [], psi: props.default_psi, size: null };
  const key = JSON.stringify([start, recipe.model, recipe.label]);
  if (key !== shownRow) { shownRow = key; drawRow([start, plain]); } else markRow();
};

// -- undo, redo ---------------------------------------------------------------------------------
const commit = () => { // a change is complete (slider let go, number entered)
  const now = JSON.stringify(recipe);
  if (now === committed) return;
  if (committed) past.push(committed);
  if (past.length > 200) past.shift();
  committed = now;
  future = [];
  paintHistory();
};
const step = async (from, to) => {
  if (!from.length) return;
  to.push(committed);
  committed = from.pop();
  const wanted = JSON.parse(committed);
  if (wanted.model !== recipe.model && !(await adopt(wanted.model))) return;
  recipe = wanted;
  paint();
  draw();
};
const paintHistory = () => { undo.disabled = !past.length; redo.disabled = !future.length; };
const change = (edit) => { edit(); paint(); commit(); draw(); };

// -- controls -------------------------------------------------------------------------------------
const undo = button('explore-undo', T('x_undo'), 'undo', () => step(past, future), { bare: true });
const redo = button('explore-redo', T('x_redo'), 'redo', () => step(future, past), { bare: true });
const seedBox = h('input', { id: 'explore-seed', type: 'number', min: 0, max: 4294967295, step: 1, 'aria-label': T('c_seed') });
const setSeed = (seed) => change(() => { recipe.seeds = [[Math.min(4294967295, Math.max(0, Math.round(seed) || 0)), 1]]; });
seedBox.addEventListener('change', () => setSeed(+seedBox.value));
const prev = button('explore-prev', T('x_prev'), 'left', () => setSeed(recipe.seeds[0][0] - 1), { bare: true });
const next = button('explore-next', T('x_next'), 'right', () => setSeed(recipe.seeds[0][0] + 1), { bare: true });
const random = button('explore-random', T('c_random'), 'random', () => setSeed(D.randomSeed()), { kind: 'im-primary' });
const reset = button('explore-reset', T('x_reset'), 'reset',
  () => change(() => { recipe.directions = []; recipe.psi = props.default_psi; }), { bare: true });

const download = button('explore-download', T('c_download'), 'download', async () => {
  const answer = await D.ask(server.png, { recipe });
  if (answer.error) say(answer.error, true); else D.save(answer.url, answer.name);
});
const copy = button('explore-copy', T('x_copy'), 'link', async () => {
  let { query } = last;
  if (last.of !== JSON.stringify(recipe)) { // its picture is still on its way
    const answer = await D.ask(server.link, { recipe });
    if (answer.error) { say(answer.error, true); return; }
    query = answer.query;
  }
  const link = `${location.origin}${location.pathname}?${query}`;
  try { await navigator.clipboard.writeText(link); say(T('x_copied')); } catch { say(link); }
});
const toInterpolate = button('explore-to-interpolate', T('c_to_interpolate'), 'send',
  () => D.open('interpolate', { add: D.clone(recipe) }));
const toGenerate = button('explore-to-generate', T('c_to_generate'), 'send',
  () => D.open('generate', { recipe: D.clone(recipe) }));

const modelBox = D.modelMenu('explore-model', T('c_model'), server, () => model?.name);
modelBox.addEventListener('change', () => openModel(modelBox.value));
const classBox = h('select', { id: 'explore-class', 'aria-label': T('c_class') });
classBox.addEventListener('change', () => change(() => { recipe.label = +classBox.value; }));
const classField = D.field(T('c_class'), classBox);
const psi = D.slider({
  id: 'explore-psi', label: T('c_psi'), min: 0, max: 1.5, step: 0.01, initial: props.default_psi,
  oninput: (value) => { recipe.psi = value; draw(); }, onchange: commit,
});
psi.node.title = T('c_psi_help');

let sliders = [], shown = [];
const near = h('div', { class: 'im-sliders', id: 'explore-directions' }), far = h('div', { class: 'im-sliders' });
const more = h('details', { class: 'im-more', id: 'explore-more' }, h('summary', {}, T('x_more')), far);
const setDirection = (id, value) => { // on the direction's own layers
  recipe.directions = recipe.directions.filter(([other, , layers]) => other !== id || layers);
  if (value !== 0) recipe.directions = [...recipe.directions, [id, value, '']];
};
const buildSliders = () => {
  shown = model.directions.filter((direction) => !direction.hidden);
  sliders = shown.map(({ id, name }, index) => D.slider({
    id: `explore-direction-${index}`, label: name, min: -3, max: 3, step: 0.05, initial: 0, origin: 0,
    oninput: (value) => { setDirection(id, value); draw(); }, onchange: commit,
  }));
  near.replaceChildren(...sliders.slice(0, SHOWN).map((s) => s.node));
  far.replaceChildren(...sliders.slice(SHOWN).map((s) => s.node));
  more.hidden = sliders.length <= SHOWN;
};

const paint = () => { // controls follow the recipe
  seedBox.value = recipe.seeds[0][0];
  psi.set(recipe.psi);
  const amounts = new Map(recipe.directions.filter(([, , layers]) => !layers));
  sliders.forEach((slider, index) => slider.set(amounts.get(shown[index].id) ?? 0));
  classField.hidden = !model.classes.length;
  if (model.classes.length) classBox.value = String(recipe.label ?? 0);
  modelBox.value = recipe.model;
  paintHistory();
  paintRow();
};

// -- models, links, dropped pictures ---------------------------------------------------------------
const take = (facts) => {
  model = facts;
  modelBox.choose(model.name);
  D.options(classBox, model.classes.map((name, index) => [index, name]), 0);
  frame.classList.toggle('im-alpha', model.alpha);
  buildSliders();
};
const adopt = async (name) => { // load another model's controls
  const answer = await D.ask(server.describe, { model: name });
  if (answer.error) { say(answer.error, true); if (recipe) modelBox.value = recipe.model; return null; }
  take(answer.model);
  return answer.recipe;
};
const openModel = async (name) => {
  const fresh = await adopt(name);
  if (!fresh) return;
  const seed = recipe ? recipe.seeds : fresh.seeds;
  change(() => { recipe = { ...fresh, seeds: seed.slice(0, 1) }; });
};
const restore = async (wanted) => {
  if ((!model || wanted.model !== model.name) && !(await adopt(wanted.model))) return;
  change(() => { recipe = wanted; });
};
const readFile = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result);
  reader.onerror = failed;
  reader.readAsDataURL(file);
});
const dropped = async (file) => {
  if (!file) return;
  const answer = await D.ask(server.read, { name: file.name, data: await readFile(file) });
  if (answer.error) { say(answer.error, true); return; }
  take(answer.model);
  change(() => { recipe = answer.recipe; });
  say(answer.note || T('x_restored', { name: file.name }));
};
const chooser = h('input', { type: 'file', id: 'explore-file', accept: 'image/png', class: 'im-hidden', 'aria-label': T('x_drop') });
chooser.addEventListener('change', () => { dropped(chooser.files[0]); chooser.value = ''; });
const zone = h('label', { class: 'im-drop', id: 'explore-drop' }, T('x_drop'), chooser);

const page = h('div', { class: 'im-columns' },
  h('section', { class: 'im-stage' }, frame,
    h('div', { class: 'im-bar im-seeds' }, undo, redo,
      h('span', { class: 'im-stepper' }, prev, seedBox, next), random), row,
    h('div', { class: 'im-bar' }, download, copy, toInterpolate, toGenerate), note),
  h('section', { class: 'im-panel' },
    D.field(T('c_model'), modelBox), classField, psi.node,
    h('h3', { class: 'im-title', title: T('x_directions_help') }, T('x_directions'), reset), near, more, zone));

let dragging = 0;
const drag = (by) => { dragging = Math.max(0, dragging + by); page.classList.toggle('im-dropping', dragging > 0); };
page.addEventListener('dragenter', (event) => { event.preventDefault(); drag(1); });
page.addEventListener('dragleave', () => drag(-1));
page.addEventListener('dragover', (event) => event.preventDefault());
page.addEventListener('drop', (event) => { event.preventDefault(); drag(-99); dropped(event.dataTransfer.files[0]); });
page.addEventListener('keydown', (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z' || event.target.type === 'number') return;
  event.preventDefault();
  if (event.shiftKey) step(future, past); else step(past, future);
});

// -- start -------------------------------------------------------------------------------------------
const receive = (message) => {
  if (message.recipe) restore(message.recipe);
  else if (message.model) openModel(message.model);
};
const start = async (message) => {
  const answer = await D.ask(server.open, { query: location.search });
  if (answer.error || !answer.models.length) {
    root.replaceChildren(D.empty(answer.error || answer.note || T('c_no_model'), T('c_no_model_help'), T('c_to_train'), 'explore'));
    D.waitForModels(server, root, () => { if (!recipe) start(); });
    return;
  }
  modelBox.fill(answer.models, answer.model.name);
  take(answer.model);
  recipe = answer.recipe;
  root.replaceChildren(page);
  paint();
  commit();
  await draw();
  say(answer.note, true);
  if (message) receive(message);
};
start(D.on('explore', (later) => { if (!page.isConnected && (later.recipe || later.model)) root.replaceChildren(page);
  receive(later); }));
