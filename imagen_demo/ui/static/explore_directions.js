// The Explore tab, 3: a slider for each direction, grouped by kind. What there is to know about one is folded below it.
const LISTED = D.chinese ? '、' : ', ', IN_SIGHT = 6, KINDS = ['examples', 'property', 'pc', 'sefa'];
const layersChosen = {}; // direction's id -> range of layers ("" its own), kept while its amount is 0
const locked = new Set();
let rows = new Map(); // direction's id -> {slider, about, film, unfold}

const directionOf = (id) => model.directions.find((direction) => direction.id === id);
const layersOf = (id) => layersChosen[id] ?? '';
const isIts = (id) => ([other, , layers]) => other === id && layers === layersOf(id); // a link may hold one direction on several ranges
const amountOf = (id) => recipe.directions.find(isIts(id))?.[1] ?? 0;
const setAmount = (id, amount) => {
  const its = isIts(id), others = recipe.directions.filter((each) => !its(each));
  recipe.directions = amount === 0 ? others : [...others, [id, amount, layersOf(id)]].sort((a, b) => (a[0] < b[0] ? -1 : 1));
};

// -- one direction ------------------------------------------------------------------------------------
const rowOf = (direction) => {
  const { id, name } = direction;
  const slider = D.slider({
    id: `explore-direction-${id}`, label: name, min: -3, max: 3, step: 0.05, initial: 0, origin: 0, within: upTo(props.limits.amount), limited,
    oninput: (value) => { setAmount(id, value); draw(); paintPad(); countSet(); }, onchange: () => commit(`d ${id}`),
  });
  const about = h('div', { class: 'ex-about', id: `explore-about-${id}`, hidden: true });
  const lock = button(null, T('x_lock', { name }), 'unlock', () => {
    if (!locked.delete(id)) locked.add(id);
    extras.lock = [...locked].join(',');
    paintLock();
    address();
  }, { bare: true, kind: 'ex-lock' });
  const paintLock = () => { lock.setAttribute('aria-pressed', locked.has(id)); lock.replaceChildren(D.icon(locked.has(id) ? 'lock' : 'unlock')); };
  const unfold = (open = true) => {
    about.hidden = !open;
    dots.setAttribute('aria-expanded', open);
    if (open) { about.replaceChildren(...aboutOf(direction)); film(); }
  };
  const dots = button(null, T('x_about', { name }), 'dots', () => unfold(about.hidden), { bare: true });
  dots.setAttribute('aria-expanded', 'false');
  dots.setAttribute('aria-controls', about.id);
  paintLock();
  slider.node.classList.add('ex-row');
  slider.node.insertBefore(h('span', { class: 'ex-tools' }, lock, dots), slider.input);
  const film = D.newest(() => paintFilm(direction, about)); // follows the other sliders while it is open
  rows.set(id, { slider, about, film, unfold });
  return h('div', { 'data-id': id }, slider.node, about);
};

// -- what there is to know about it ---------------------------------------------------------------------
const propertyName = (key) => (props.texts.en[`x_prop_${key}`] ? T(`x_prop_${key}`) : key);
const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
const sentences = ({ id, kind, purity, effects }) => {
  const order = Object.entries(effects).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  if (purity === null || !order.length) return [h('p', { class: 'ex-say' }, T('x_purity_unknown'))];
  const seen = order.filter(([, value]) => Math.abs(value) >= 0.1).slice(0, 4).map(([key, value]) => `${propertyName(key)} ${signed(value)}`);
  return [
    h('p', { class: 'ex-say' }, T('x_purity', { percent: Math.round(100 * purity), main: propertyName(kind === 'property' ? id : order[0][0]) })),
    seen.length ? h('p', { class: 'ex-say', title: T('x_effects_help') }, T('x_effects', { effects: seen.join(LISTED) })) : null,
  ].filter(Boolean);
};
const paintFilm = async ({ id, name }, about) => {
  const film = about.querySelector('.ex-film');
  const answer = await D.ask(server.film, { recipe, id, layers: layersOf(id) });
  if (!told(answer) || !film) return;
  if (!film.children.length) film.append(...answer.amounts.map((amount) =>
    cell(T('x_film_step', { name, amount }), '', () => change(() => setAmount(id, amount)), {}, String(amount))));
  film.querySelectorAll('img').forEach((picture, index) => { picture.src = answer.images[index]; });
};
onCommit.push(() => rows.forEach(({ about, film }) => { if (!about.hidden) film(); }));
const layerChoice = (direction) => {
  const { id } = direction, end = model.layers - 1;
  const own = direction.layers ? nameOfRange(direction.layers) : T('x_layers_all');
  const chosen = layersOf(id), some = /^\d+-\d+$/.test(chosen) && chosen !== `0-${end}`;
  const menu = h('select', { 'aria-label': `${T('x_layers')}: ${direction.name}`, class: 'ex-layers' });
  D.options(menu, [['', T('x_layers_own', { range: own })], [`0-${end}`, T('x_layers_all')], ['coarse', T('x_layers_coarse')],
    ['middle', T('x_layers_middle')], ['fine', T('x_layers_fine')], ['some', T('x_layers_some')]], some ? 'some' : chosen);
  const [low, high] = some ? chosen.split('-').map(Number) : [0, end];
  const edge = (text, value) => h('input', { type: 'number', min: 0, max: end, step: 1, value: String(value), 'aria-label': `${T(text)}: ${direction.name}`, 'aria-description': T('x_layers_scale', { end }) });
  const from = edge('x_layers_from', low), to = edge('x_layers_to', high);
  const pair = h('span', { class: 'ex-pair', hidden: !some }, from, '–', to, h('span', { class: 'ex-say' }, T('x_layers_scale', { end })));
  const choose = ({ target }) => {
    pair.hidden = menu.value !== 'some';
    const [a, b] = [+from.value, +to.value].map((value) => clamp(Math.round(value) || 0, 0, end)).sort((x, y) => x - y);
    if (target !== menu && (!target.value || ![a, b].includes(+target.value))) limited(T(target === from ? 'x_layers_from' : 'x_layers_to'), 0, end, true);
    [from.value, to.value] = [a, b];
    const amount = amountOf(id);
    setAmount(id, 0);
    layersChosen[id] = menu.value === 'some' ? `${a}-${b}` : menu.value;
    change(() => setAmount(id, amount));
    if (!amount) rows.get(id).film();
  };
  for (const control of [menu, from, to]) control.addEventListener('change', choose);
  return h('div', { class: 'ex-line' }, h('span', { class: 'im-label' }, T('x_layers')), menu, pair);
};
const nameOfRange = (range) => (props.texts.en[`x_layers_${range}`] ? T(`x_layers_${range}`).split(/[:：]/)[0] : range.replace('-', '–'));
const manage = async (call, payload, done) => { // a change of the directions themselves; the page gets them anew
  const answer = await D.ask(server[call], { model: model.name, ...payload });
  if (!told(answer) || answer.model.name !== model.name) return null; // another model is open by now
  take(answer.model);
  paint();
  say(done);
  return answer;
};
const aboutOf = (direction) => {
  const { id, name } = direction;
  const title = h('input', { type: 'text', maxlength: 40, value: name, placeholder: direction.kind === 'examples' ? null : T('x_name_own'), 'aria-label': `${T('x_name')}: ${name}` });
  const rename = async () => { // nothing: the model's own name again
    const text = title.value.trim();
    if (text === name || !(await manage('rename', { id, name: text }))) return;
    say(T('x_renamed', { name: directionOf(id).name }));
    rows.get(id)?.about.querySelector('.ex-rename')?.focus();
  };
  title.addEventListener('keydown', (event) => { if (event.key === 'Enter') rename(); });
  const small = (text, does, extra = '') => h('button', { type: 'button', class: `im-button ex-small ${extra}`, onclick: does }, T(text));
  const remove = small('x_remove', () => {
    if (remove.dataset.sure) { layAside(id); manage('remove', { id }, T('x_removed', { name })); return; }
    remove.dataset.sure = 'yes';
    remove.textContent = T('x_remove_sure');
  });
  return [
    ...sentences(direction), h('div', { class: 'ex-film', role: 'group', 'aria-label': T('x_film', { name }) }), layerChoice(direction),
    h('div', { class: 'ex-line' }, title, small('x_rename', rename, 'ex-rename')),
    h('div', { class: 'ex-line' }, small('x_to_pad_x', () => usePad(0, id)), small('x_to_pad_y', () => usePad(1, id)),
      small('x_hide', () => { layAside(id); manage('hide', { id, hidden: true }, T('x_hidden_now', { name })); }), small('x_export', () => exportThem([id])), direction.kind === 'examples' ? remove : null),
  ];
};
const layAside = (id) => { // before it goes out of sight: it acts no more, which can be undone
  if (locked.delete(id)) { extras.lock = [...locked].join(','); address(); }
  if (recipe.directions.some(([other]) => other === id)) change(() => { recipe.directions = recipe.directions.filter(([other]) => other !== id); });
};
const exportThem = async (ids) => {
  const answer = await D.ask(server.export_directions, { model: model.name, ids });
  if (told(answer)) D.save(answer.url, answer.name);
};

// -- all of them ------------------------------------------------------------------------------------------
const groups = h('div', { class: 'ex-groups', id: 'explore-directions' });
let counted = [], builtFor = ''; // {summary's counter, ids}; the model whose sliders these are
const fold = (title, ids, body, attributes = {}) => {
  const counter = h('span', { class: 'ex-count' });
  counted.push({ counter, ids });
  return h('details', { class: 'im-more', ...attributes }, h('summary', {}, title, counter), body);
};
const sliders = (directions) => h('div', { class: 'im-sliders' }, directions.map(rowOf));
const hiddenRow = ({ id, name }) => h('div', { class: 'ex-line' }, h('span', { class: 'ex-grow' }, name),
  h('button', { type: 'button', class: 'im-button ex-small', onclick: () => manage('hide', { id, hidden: false }) }, T('x_show')));
const buildDirections = () => {
  const open = new Set([...groups.querySelectorAll('details[open]')].map((each) => each.dataset.kind));
  const before = new Set([...groups.querySelectorAll('details')].map((each) => each.dataset.kind));
  const unfolded = builtFor === model.name ? [...rows].filter(([, { about }]) => !about.hidden).map(([id]) => id) : [];
  rows = new Map();
  counted = [];
  let others = 0;
  const parts = [], used = new Set(recipe ? recipe.directions.map(([id]) => id) : []);
  const seen = model.directions.filter(({ id, hidden }) => !hidden || used.has(id));
  for (const kind of KINDS) {
    const here = seen.filter((direction) => direction.kind === kind);
    if (!here.length) continue;
    const first = kind === 'examples' || !others++, near = here.slice(0, IN_SIGHT), far = here.slice(IN_SIGHT);
    const body = h('div', { class: 'ex-group' }, sliders(near),
      far.length ? fold(`${T('x_more')} (${far.length})`, far.map(({ id }) => id), sliders(far), { 'data-kind': `${kind}+`, id: `explore-more-${kind}`, open: open.has(`${kind}+`) }) : null);
    parts.push(fold(T(`x_kind_${kind}`), here.map(({ id }) => id), body, { 'data-kind': kind, id: `explore-kind-${kind}`, open: before.has(kind) ? open.has(kind) : first }));
  }
  const gone = model.directions.filter(({ id, hidden }) => hidden && !used.has(id));
  if (gone.length) parts.push(h('details', { class: 'im-more', 'data-kind': '-', open: open.has('-') }, h('summary', {}, T('x_hidden', { count: gone.length })), gone.map(hiddenRow)));
  if (builtFor !== model.name && parts.length && !parts.some((part) => part.open)) parts[0].open = true; // another model: never all folded
  if (builtFor !== model.name) Object.keys(layersChosen).forEach((id) => delete layersChosen[id]); // its layers are others
  builtFor = model.name;
  groups.replaceChildren(...parts);
  unfolded.forEach((id) => rows.get(id)?.unfold());
};
onModel.push(buildDirections);
const countSet = () => counted.forEach(({ counter, ids }) => {
  const count = ids.filter((id) => amountOf(id)).length;
  counter.textContent = count ? T('x_set', { count }) : '';
});
onPaint.push(() => {
  for (const [id, , layers] of recipe.directions) if (!amountOf(id)) layersChosen[id] = layers;
  if (recipe.directions.some(([id]) => directionOf(id) && !rows.has(id))) buildDirections(); // a hidden one came into use
  rows.forEach(({ slider }, id) => slider.set(amountOf(id)));
  countSet();
});

const inSight = () => [...rows].filter(([, { slider }]) => !slider.node.closest('details:not([open]), [hidden]')).map(([id]) => id);
const randomise = button('explore-randomise', T('x_randomise'), 'random', () => {
  const free = inSight().filter((id) => !locked.has(id));
  if (!free.length) { say(T('x_randomise_none')); return; }
  change(() => free.forEach((id) => {
    const bell = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
    setAmount(id, clamp(Math.round(20 * 0.8 * bell) / 20, -2.5, 2.5));
  }));
}, { bare: true });
const reset = button('explore-reset', T('x_reset'), 'reset', () => change(() => {
  recipe.directions = recipe.directions.filter(([id]) => locked.has(id));
}), { bare: true });
