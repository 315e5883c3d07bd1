// The Interpolate tab, 5: its settings, the film, links, and what other tabs send.
const choice = (id, label, pairs, key, { asNumber = false, after = () => {}, then = changed } = {}) => {
  const select = h('select', { id, 'aria-label': label });
  D.options(select, pairs, spec[key]);
  select.addEventListener('change', () => { spec[key] = asNumber ? +select.value : select.value; after(); then(); });
  onPaint.push(() => {
    const value = String(spec[key]);
    if (![...select.options].some((option) => option.value === value)) select.append(h('option', { value }, value)); // of a link or file
    select.value = value;
  });
  return D.field(label, select);
};
const check = (id, label, key, help = '') => {
  const box = h('input', { id, type: 'checkbox' });
  box.addEventListener('change', () => { spec[key] = box.checked; changed(); });
  onPaint.push(() => { box.checked = spec[key]; });
  return h('label', { class: 'im-check', title: help }, box, h('span', {}, label));
};
const setEasing = (name) => keys.forEach((key) => { key.easing = name; });
const modelBox = D.modelMenu('interpolate-model', T('c_model'), server, told, () => model, (from, to) => {
  state(); // all pictures are in `images`
  [...images].forEach(([of, image]) => images.set(D.renamed(of, from, to), image));
  [fresh, defaults] = [D.renamed(fresh, from, to), D.renamed(defaults, from, to)];
  keys.forEach((key) => { key.recipe = D.renamed(key.recipe, from, to); });
  steps.rename(from, to);
  renewed();
});
modelBox.addEventListener('change', async () => {
  const answer = await modelBox.describe(modelBox.value);
  if (answer) await replace(() => keys.map((key) => ({ ...D.clone(answer.recipe), seeds: [[key.recipe.seeds[0][0], 1]] })), () => use(answer));
});
const classBox = h('select', { id: 'interpolate-class', 'aria-label': T('c_class') });
classBox.addEventListener('change', () => replace(() => keys.map((key) => ({ ...key.recipe, label: +classBox.value, class_mix: [] })))); // the whole way
const classField = D.field(T('c_class'), classBox);
const kind = choice('interpolate-space', T('i_space'), props.kinds.map((name) => [name, T(`i_space_${name}`)]), 'kind',
  { after: () => setEasing(spec.kind === 'spline' ? 'linear' : 'smooth') });
const kindHelp = h('p', { class: 'im-label in-help', id: 'interpolate-kind-help' });
const length = D.slider({
  id: 'interpolate-seconds', label: T('i_seconds'), min: 1, max: 60, step: 0.5, initial: 8,
  oninput: (value) => { stretchTo(value); paintKeys(); paintWeight(); show(at); }, onchange: () => changed('length'),
  within: () => [+(LEAST * segments().length).toFixed(2), MOST_SECONDS], limited,
});
const loop = check('interpolate-loop', T('i_loop'), 'closed');
const even = check('interpolate-even', T('i_even'), 'even', T('i_even_help'));
const allEasing = h('select', { id: 'interpolate-easing', 'aria-label': T('i_easing_all') });
D.options(allEasing, [['', T('i_ease_own')], ...props.easings.map((name) => [name, T(`i_ease_${name}`)])], '');
allEasing.addEventListener('change', () => { if (allEasing.value) { setEasing(allEasing.value); changed(); } });
const easingField = D.field(T('i_easing_all'), allEasing);
const part = (id, label, key, [low, high], within, initial, help) => { // links allow more than the thumb reaches
  const slider = D.slider({ id, label, min: low, max: high, step: 0.05, initial, within: () => within, limited, oninput: (value) => { spec[key] = value; }, onchange: () => changed(key) });
  slider.node.title = help;
  onPaint.push(() => slider.set(spec[key]));
  return slider;
};
const radius = part('interpolate-radius', T('i_radius'), 'radius', [0.05, 1], [0.01, 1], 0.5, T('i_radius_help'));
const speed = part('interpolate-speed', T('i_speed'), 'speed', [0.05, 2], [0.01, 5], 0.5, T('i_speed_help'));
const waySeed = D.numberBox('interpolate-way-seed', T('i_way_seed'), { min: 0, max: MOST_SEED, wrong: T('c_seed_wrong'), get: () => spec.seed,
  take: (value, said) => { spec.seed = value; changed('seed', said); } });
const another = button('interpolate-way-random', T('i_way_random'), 'random', () => { spec.seed = D.randomSeed(); changed(); }, { bare: true });
const seedRow = h('div', { class: 'in-row' }, D.field(T('i_way_seed'), waySeed), another);

const format = choice('interpolate-format', T('i_format'), Object.keys(props.formats).map((name) => [name, T(`i_format_${name}`)]), 'format', { then: restated });
const SIZES = [32, 64, 128, 256, 384, 512, 768, 1024, 2048]; // from the model's own on
const size = choice('interpolate-size', T('i_size'), SIZES.map((n) => [n, `${n} px`]), 'size', { asNumber: true, then: restated });
const paintSizes = () => {
  const offered = new Set([...SIZES.filter((n) => n >= model.resolution), model.resolution, spec.size]);
  D.options(size.querySelector('select'), [...offered].sort((a, b) => a - b).map((n) => [n, `${n} px`]), spec.size);
};
const fps = choice('interpolate-fps', T('i_fps'), [12, 15, 24, 25, 30, 50, 60].map((n) => [n, n]), 'fps', { asNumber: true });
const ground = choice('interpolate-background', T('i_ground'), ['transparent', 'white', 'black', 'checkerboard'].map((name) => [name, T(`i_ground_${name}`)]), 'background', { then: restated });
const weight = h('p', { class: 'im-label in-help', id: 'interpolate-weight' });
const paintWeight = () => { // how large the file will be, to two digits (media/formats.py)
  const { bytes, motion, sound: heard, fps: most } = props.formats[spec.format];
  const frames = segments().map((key) => key.seconds * Math.min(most, spec.fps)).reduce((sum, n) => sum + (motion ? Math.sqrt(30 * n) : n), 0);
  const megabytes = (frames * bytes * (spec.size / 512) ** 1.45 + (heard && sound ? 20000 * seconds() : 0)) / 1e6;
  weight.textContent = enough() ? T('i_weight', { megabytes: megabytes < 0.1 ? '0.1' : +megabytes.toPrecision(megabytes < 1 ? 1 : 2) }) : '';
};
onPaint.push(paintWeight);
const make = button('interpolate-make', T('i_make'), 'play', () => {
  const most = props.formats[spec.format].fps;
  if (spec.fps > most) { spec.fps = most; changed(); }
  say('');
  if (!stopped) setPlaying(true); // the preview runs while the film is made
  trigger('make', { spec: wanted(), job: D.ticket() });
}, { kind: 'im-primary' });
const copy = button('interpolate-copy', T('c_copy'), 'link', async () => {
  if (!link) { const answer = await D.ask(server.link, { timeline: wanted() }); if (!told(answer)) return; link = answer.query; }
  clip(D.linkTo(link), T('i_copied'));
});
onPaint.push(() => {
  kindHelp.textContent = T(`i_help_${spec.kind}`);
  loop.hidden = alone();
  even.hidden = spec.kind === 'walk';
  easingField.hidden = alone() || spec.even;
  const easings = new Set(segments().map((key) => key.easing));
  allEasing.value = easings.size === 1 ? [...easings][0] : '';
  radius.node.hidden = seedRow.hidden = !alone();
  speed.node.hidden = spec.kind !== 'walk';
  waySeed.value = spec.seed;
  paintSizes();
  ground.hidden = !model?.alpha;
  const select = ground.querySelector('select'), clear = props.formats[spec.format].alpha; // what cannot be transparent is white
  select.options[0].disabled = !clear;
  select.value = spec.background === 'transparent' && !clear ? 'white' : spec.background;
  length.node.hidden = !enough();
  length.input.max = Math.max(60, Math.ceil(seconds()));
  length.set(seconds());
  none.disabled = !keys.length;
  make.disabled = copy.disabled = !enough();
});

const panel = h('section', { class: 'im-panel' },
  D.field(T('c_model'), modelBox), classField, kind, kindHelp, radius.node, speed.node, seedRow, length.node, loop, even, easingField,
  h('h3', { class: 'im-title' }, T('i_sound')), zone, soundBox,
  h('h3', { class: 'im-title' }, T('i_film_title')),
  h('div', { class: 'im-pair in-film' }, format, size, ground, fps), weight, make, copy,
  D.fileZone('interpolate', T('i_drop'), 'video/*,image/*,.zip', (file) => dropped(file)));
const page = h('div', { class: 'im-columns' },
  h('section', { class: 'im-stage' }, frame,
    h('div', { class: 'in-scrub' }, play, h('div', { class: 'in-track' }, scrub, marks), clock), film, note,
    h('section', { class: 'in-timeline' }, h('h3', { class: 'im-title' }, T('i_keys')), list,
      h('div', { class: 'im-bar' }, steps.undo, steps.redo, seedBox, addButton, random, current, none))), panel);

// -- models, messages, links --------------------------------------------------------------------------
let fresh = null; // a new recipe of the model
const use = (answer) => { // keyframes of it follow at once: those of another model are of no use to it
  model = answer.model;
  fresh = answer.recipe;
  D.options(classBox, model.classes.map((title, index) => [index, title]), 0);
  classField.hidden = !model.classes.length;
  for (const place of [frame, film]) place.classList.toggle('im-alpha', model.alpha);
};
const adopt = async (name) => {
  const answer = await modelBox.describe(name);
  if (answer) use(answer);
  return !!answer;
};
const recipesNow = () => JSON.stringify(keys.map((key) => key.recipe));
let defaults = null; // the pictures that the tab began with; the first one sent takes their place
const untouched = () => recipesNow() === defaults;
const accept = async (recipe) => { // another tab's picture; true where the film has it
  if (model && recipe.model === model.name) return untouched() ? replace(() => [recipe]) : add([recipe]);
  const begun = keys.length && !untouched(), answer = await modelBox.describe(recipe.model);
  if (!answer) return false;
  const added = await replace(() => [recipe], () => { use(answer); if (model.classes.length) classBox.value = String(recipe.label ?? 0); });
  if (added && begun) say(`${T('i_new_film', { model: modelBox.selectedOptions[0].text })} ${said()}`, true);
  return added;
};
const openLink = async (t) => {
  const answer = await D.ask(server.open, { t });
  if (!told(answer)) return answer.error;
  const { recipes, seconds: lengths, easings, ...rest } = answer.timeline;
  if (!(await adopt(recipes[0].model))) return said();
  if (model.classes.length) classBox.value = String(recipes[0].label ?? 0);
  Object.assign(spec, rest, { size: rest.size ?? 512 });
  keys = recipes.map((recipe, index) => ({
    recipe, image: answer.images[index], seconds: lengths[index] ?? lengths[lengths.length - 1], easing: easings[index] ?? easings[easings.length - 1],
  }));
  takeSound(answer.sound);
  changed();
  say(answer.note, true);
  return '';
};
// A film's file has its link in it as plain text (media/notes.py); the film itself need not be sent.
const linkIn = async (file) => {
  const step = 2 ** 22, over = 2 ** 16, pattern = new RegExp(`${props.mark}([\\w-]+)`);
  for (let from = 0; from < file.size; from += step) {
    const some = await file.slice(from, from + step + over).arrayBuffer();
    const found = pattern.exec(new TextDecoder('latin1').decode(some));
    if (found && found.index < step) return found[1];
  }
  return '';
};
const dropped = async (file) => { // a film comes back as it was, a picture becomes a keyframe
  const { name } = file;
  say(T('i_looking', { name }));
  const t = await linkIn(file).catch(() => ''); // a folder cannot be read
  say('');
  if (t) {
    const problem = await openLink(t);
    if (problem) say(T('i_not_restored', { name, problem }), true); else if (!said()) say(T('i_restored', { name }));
    return;
  }
  if (file.type !== 'image/png') { say(T('i_no_film', { name }), true); return; }
  const answer = await D.ask(server.read, { name, data: await D.readFile(file) });
  if (!told(answer)) return;
  defaults = null;
  if (await accept(answer.recipe) && answer.note) say(`${answer.note} ${said()}`, true);
};
D.takesFiles(page, dropped);
const start = async (message) => {
  const answer = await D.ask(server.models, {});
  if (answer.error || !answer.models.length) {
    D.noModel('interpolate', T, answer.error, server, root);
    return;
  }
  modelBox.fill(answer.models, answer.models[0].name);
  root.replaceChildren(page);
  const kept = D.kept('interpolate'), t = new URLSearchParams(D.opened).get('t') ?? kept; // kept: while another tab was in sight
  const problem = t ? await openLink(t) : null;
  if (problem === '') { if (message?.add) await accept(message.add); return; }
  const first = message?.add || D.current;
  if (!(await adopt(first?.model || answer.models[0].name))) return;
  if (first?.label != null) classBox.value = String(first.label);
  const seed = first ? first.seeds[0][0] : 0;
  await add([first ? D.clone(first) : fromSeed(0), ...(message?.add ? [] : [1, 2, 3]).map((step) => fromSeed((seed + step) % (MOST_SEED + 1)))]);
  if (!message?.add) defaults = recipesNow();
  if (problem) say(problem, true);
};
D.begin('interpolate', page, start, (message) => { if (message.add) accept(message.add); });
