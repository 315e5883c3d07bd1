// The Explore tab, 5: blends of seeds and of classes, fine details from other seeds, truncation in detail.

// A list of [key, weight] in the recipe: seeds (numbers to type) or classes (a menu), each with its weight.
const weighted = ({ id, get, set, nameOf, keyBox, adding, fresh, least, most = () => 8 }) => {
  const list = h('div', { class: 'ex-weights', id });
  const add = button(`${id}-add`, adding, 'add', () => change(() => set([...get(), [fresh(), 1]])), { kind: 'ex-small' });
  const put = (index, pair, by) => change(() => set(get().map((each, at) => (at === index ? pair : each))), by);
  let shape = '';
  const controls = () => [...list.querySelectorAll('input, select, button')];
  const build = () => {
    const focused = controls().indexOf(document.activeElement);
    list.replaceChildren(...get().map(row));
    controls()[focused]?.focus(); // arrow keys go on changing it
  };
  const row = ([key], index) => {
    const name = nameOf(key), box = keyBox(key, index);
    box.addEventListener('change', () => {
      const chosen = box.type === 'number' ? D.readSeed(box) : +box.value;
      if (chosen === null) say(T('c_seed_wrong'), true); else put(index, [chosen, get()[index][1]]);
    });
    const weight = D.slider({ id: `${id}-${index}`, label: T('x_weight_of', { name }), min: 0.05, max: 2, step: 0.05, initial: 1, within: () => [0.001, props.limits.weight], limited,
      oninput: (value) => { set(get().map((each, at) => (at === index ? [each[0], value] : each))); draw(); }, onchange: () => commit(`${id}${index}`) });
    const remove = button(null, T('x_without', { name }), 'remove', () => change(() => set(get().filter((_, at) => at !== index))), { bare: true });
    remove.disabled = get().length <= least;
    const node = h('div', { class: 'ex-weight' }, h('img', { alt: '', class: model.alpha ? 'im-alpha' : '' }), box, weight.input, weight.number, remove);
    return Object.assign(node, { weight });
  };
  const thumbs = D.newest(async (recipes, still) => {
    const answer = await D.ask(server.draw, { recipes, side: 64 });
    if (still() && answer.images) answer.images.forEach((src, index) => { const image = list.children[index]?.querySelector('img'); if (image) image.src = src; });
  });
  let pictured = '';
  const paintList = (recipeOf) => {
    const pairs = get(), keys = JSON.stringify([pairs.map(([key]) => key), recipe.model]);
    if (keys !== shape) { shape = keys; build(); }
    [...list.children].forEach((node, index) => { node.weight.set(pairs[index][1]); node.weight.input.hidden = node.weight.number.hidden = pairs.length < 2; });
    add.disabled = pairs.length >= most();
    const recipes = pairs.map(([key]) => recipeOf(key)), key = JSON.stringify(recipes);
    if (recipes.length && key !== pictured && list.closest('details').open) { pictured = key; thumbs(recipes); }
  };
  return { node: h('div', { class: 'ex-list' }, list, add), paint: paintList };
};
const seedBoxOf = (key, index) => widen(h('input', { type: 'number', min: 0, max: MOST_SEED, step: 1, value: String(key), 'aria-label': T('x_seed_of', { number: index + 1 }) }));
const seedName = (seed) => `${T('c_seed')} ${seed}`;

// -- blending and style mixing --------------------------------------------------------------------------------
const blend = weighted({ id: 'explore-blend', get: () => recipe.seeds, set: (value) => { recipe.seeds = value; },
  nameOf: seedName, keyBox: seedBoxOf, adding: T('x_add_seed'), fresh: D.randomSeed, least: 1 });
const fine = weighted({ id: 'explore-fine', get: () => recipe.fine_seeds, nameOf: seedName, keyBox: seedBoxOf, adding: T('x_add_seed'),
  set: (value) => { if (!recipe.fine_seeds.length) recipe.split = Math.ceil(model.layers / 2); recipe.fine_seeds = value; if (!value.length) recipe.split = 0; },
  fresh: D.randomSeed, least: 0 });
const splitPlace = h('div', {});
let split = null;
onModel.push(() => {
  split = D.slider({ id: 'explore-split', label: T('x_split'), min: 0, max: model.layers, step: 1, initial: Math.ceil(model.layers / 2), limited,
    oninput: (value) => { recipe.split = value; draw(); }, onchange: () => commit('split') });
  splitPlace.replaceChildren(split.node);
});
const heading = (title, help) => h('h4', { class: 'ex-head' }, title, h('span', {}, help));
const mixFold = h('details', { class: 'im-more', id: 'explore-mix' }, h('summary', {}, T('x_mix')),
  heading(T('x_blend'), T('x_blend_help')), blend.node, heading(T('x_fine'), T('x_fine_help')), fine.node, splitPlace);
const paintMix = () => {
  blend.paint((seed) => ({ ...plain(seed), psi: recipe.psi }));
  fine.paint((seed) => ({ ...plain(seed), psi: recipe.psi }));
  splitPlace.hidden = !recipe.fine_seeds.length;
  split.set(recipe.split);
};
onPaint.push(paintMix);
mixFold.addEventListener('toggle', paintMix);

// -- classes ----------------------------------------------------------------------------------------------------
const classBox = h('select', { id: 'explore-class', 'aria-label': T('c_class') });
classBox.addEventListener('change', () => { change(() => { recipe.label = +classBox.value; recipe.class_mix = []; }); startHere(); });
const classMenu = (key, index) => {
  const menu = h('select', { 'aria-label': T('x_class_of', { number: index + 1 }) });
  D.options(menu, model.classes.map((name, label) => [label, name]), key);
  return menu;
};
const classes = weighted({ id: 'explore-class-mix', nameOf: (label) => model.classes[label], keyBox: classMenu, adding: T('x_add_class'), least: 1, most: () => model.classes.length,
  get: () => (recipe.class_mix.length ? recipe.class_mix : [[recipe.label ?? 0, 1]]),
  set: (pairs) => { // one class alone is the recipe's label
    const mixed = [...new Map(pairs).entries()];
    recipe.class_mix = mixed.length > 1 ? mixed : [];
    recipe.label = mixed.length > 1 ? null : mixed[0]?.[0] ?? 0;
  },
  fresh: () => model.classes.findIndex((_, label) => !recipe.class_mix.some(([other]) => other === label) && label !== recipe.label) });
const classMix = h('details', { class: 'im-more' }, h('summary', {}, T('x_class_mix')), classes.node);
classMix.addEventListener('toggle', () => paintClasses());
const classField = h('div', { class: 'ex-list' }, D.field(T('c_class'), classBox), classMix);
onModel.push(() => D.options(classBox, [...model.classes.map((name, index) => [index, name]), ['', T('x_class_mixed')]], 0));
const paintClasses = () => {
  classField.hidden = !model.classes.length;
  if (!model.classes.length) return;
  classes.paint((label) => ({ ...plain(recipe.seeds[0][0]), label, class_mix: [] }));
  classMix.hidden = model.classes.length < 2;
  classMix.open ||= recipe.class_mix.length > 0;
  classBox.value = recipe.class_mix.length ? '' : String(recipe.label ?? 0);
};
onPaint.push(paintClasses);

// -- noise --------------------------------------------------------------------------------------------------------
const noiseBox = h('input', { type: 'number', id: 'explore-noise', min: 0, step: 1, inputmode: 'numeric' });
noiseBox.addEventListener('change', () => {
  const seed = D.readSeed(noiseBox);
  if (seed === null) say(T('c_seed_wrong'), true); else change(() => { recipe.noise = seed; });
});
const noise = D.field(T('x_noise'), noiseBox);
noise.title = T('x_noise_help');
mixFold.append(noise);
onPaint.push(() => {
  noise.hidden = !model.noise;
  noiseBox.value = recipe.noise;
  noiseBox.removeAttribute('aria-invalid');
});

// -- truncation ---------------------------------------------------------------------------------------------------
let singly = new Set(); // layers with a psi of their own; the others follow the one above
const psiOf = (layer) => recipe.psi_layers[layer] ?? recipe.psi;
const setPsis = (psi) => {
  const all = Array.from({ length: Math.max(-1, ...singly) + 1 }, (_, layer) => (singly.has(layer) ? psiOf(layer) : psi));
  [recipe.psi, recipe.psi_layers] = [psi, all];
};
const psi = D.slider({ id: 'explore-psi', label: T('c_psi'), min: 0, max: 1.5, step: 0.01, initial: props.default_psi, within: upTo(props.limits.psi), limited,
  oninput: (value) => { setPsis(value); paintPsis(); draw(); }, onchange: () => commit('psi') });
const paintPsis = () => psiSliders.forEach((slider, layer) => slider.set(psiOf(layer)));
psi.node.title = T('c_psi_help');
const centre = h('select', { id: 'explore-centre', 'aria-label': T('x_centre') });
D.options(centre, ['mean', 'nearest'].map((kind) => [kind, T(`x_centre_${kind}`)]), 'mean');
centre.addEventListener('change', () => change(() => { recipe.centre = centre.value; }));
const follow = button('explore-psi-follow', T('x_psi_follow'), 'reset', () => change(() => { recipe.psi_layers = []; }), { kind: 'ex-small' });
const layerPsis = h('div', { class: 'im-sliders', id: 'explore-psi-layers' });
let psiSliders = [];
onModel.push(() => {
  psiSliders = Array.from({ length: model.layers }, (_, layer) => D.slider({ id: `explore-psi-${layer}`, label: T('x_psi_layer', { number: layer }),
    min: 0, max: 1.5, step: 0.01, initial: props.default_psi, within: upTo(props.limits.psi), limited, onchange: () => commit(`psi${layer}`),
    oninput: (value) => {
      singly.add(layer);
      recipe.psi_layers = Array.from({ length: Math.max(...singly) + 1 }, (_, each) => (each === layer ? value : psiOf(each)));
      draw();
    } }));
  layerPsis.replaceChildren(...psiSliders.map(({ node }) => node));
});
const truncation = h('details', { class: 'im-more', id: 'explore-truncation' }, h('summary', {}, T('x_truncation')),
  h('div', { class: 'ex-list' }, D.field(T('x_centre'), centre),
    h('details', { class: 'im-more' }, h('summary', {}, T('x_psi_layers')), layerPsis, follow)));
onPaint.push(() => {
  singly = new Set(recipe.psi_layers.flatMap((value, layer) => (value === recipe.psi ? [] : [layer])));
  psi.set(recipe.psi);
  centre.value = recipe.centre;
  paintPsis();
});
