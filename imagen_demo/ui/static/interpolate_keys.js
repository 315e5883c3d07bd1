// The Interpolate tab, 3: the timeline of keyframes and the segments between them.
const list = h('ol', { class: 'in-line', id: 'interpolate-keys', 'aria-label': T('i_keys') });
let dragged = -1;
const move = (from, to, focus = false) => {
  if (to < 0 || to >= keys.length || from === to) return;
  keys.splice(to, 0, ...keys.splice(from, 1));
  changed();
  say(T('i_moved', { number: to + 1, count: keys.length }));
  if (focus) list.querySelectorAll('.in-pick')[to]?.focus();
};
const remove = (index) => {
  keys.splice(index, 1);
  changed();
  list.querySelectorAll('.in-pick')[Math.min(index, keys.length - 1)]?.focus();
};
const goTo = (index) => { stop(); if (!alone() && knots.length > index) show(knots[index] / knots[knots.length - 1]); };

const keyCard = (key, index) => {
  const name = `${T('i_key', { number: index + 1, count: keys.length })}, ${T('c_seed')} ${named(key.recipe)}`;
  const small = (icon, text, does, off = false) => {
    const b = button(null, `${T(text)}: ${name}`, icon, does, { bare: true });
    b.disabled = off;
    return b;
  };
  const pick = h('button', {
    type: 'button', class: 'in-pick', 'aria-label': name, title: T('i_key_help'), 'aria-keyshortcuts': 'Shift+ArrowLeft Shift+ArrowRight Delete',
    onclick: () => goTo(index),
  }, h('img', { src: key.image, alt: '', draggable: false, class: model?.alpha ? 'im-alpha' : '' }));
  pick.addEventListener('keydown', (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (way && event.shiftKey) move(index, index + way, true);
    else if (way) list.querySelectorAll('.in-pick')[index + way]?.focus();
    else if (event.key === 'Delete' || event.key === 'Backspace') remove(index);
    else return;
    event.preventDefault();
  });
  const card = h('li', { class: 'im-key', draggable: true, 'data-seed': String(key.recipe.seeds[0][0]) }, pick,
    h('div', { class: 'im-key-bar' }, small('left', 'i_earlier', () => move(index, index - 1, true), index === 0),
      h('span', {}, named(key.recipe)), small('right', 'i_later', () => move(index, index + 1, true), index === keys.length - 1)),
    small('remove', 'i_remove', () => remove(index)),
    small('send', 'c_to_explore', () => D.open('explore', { recipe: D.clone(key.recipe) })));
  card.lastChild.classList.add('in-open');
  card.classList.toggle('in-unused', alone() && index > 0);
  card.addEventListener('dragstart', (event) => { dragged = index; event.dataTransfer.effectAllowed = 'move'; event.dataTransfer.setData('text/plain', String(index)); });
  card.addEventListener('dragend', () => { dragged = -1; list.querySelectorAll('.in-over').forEach((c) => c.classList.remove('in-over')); });
  card.addEventListener('dragover', (event) => { if (dragged >= 0) { event.preventDefault(); card.classList.add('in-over'); } });
  card.addEventListener('dragleave', () => card.classList.remove('in-over'));
  card.addEventListener('drop', (event) => { if (dragged >= 0) { event.preventDefault(); move(dragged, index); } });
  return card;
};
const segmentCard = (key, index) => {
  const label = T('i_segment', { number: index + 1 });
  const name = `${label}: ${T('i_seconds')}`, others = seconds() - key.seconds;
  const most = Math.max(LEAST, Math.floor(100 * (MOST_SECONDS - others) + 1e-6) / 100);
  const box = D.numberBox(null, name, { min: LEAST, max: most, step: 0.1, wrong: limits(name, LEAST, most), get: () => +key.seconds.toFixed(3),
    take: (value, said) => { key.seconds = value; changed(`seconds ${index}`, said); } });
  box.value = +key.seconds.toFixed(3);
  box.disabled = spec.even;
  const ease = h('select', { 'aria-label': `${label}: ${T('i_easing')}` });
  D.options(ease, props.easings.map((name) => [name, T(`i_ease_${name}`)]), key.easing);
  ease.addEventListener('change', () => { key.easing = ease.value; changed(); });
  ease.disabled = spec.even;
  const back = isClosed() && index === keys.length - 1;
  return h('li', { class: 'in-segment' }, h('span', { class: 'im-label', 'aria-hidden': 'true' }, D.icon(back ? 'reset' : 'send')),
    h('label', { class: 'in-seconds' }, box, 's'), ease);
};
const paintTimes = () => { // at an even speed the way itself says how long each segment lasts
  if (!spec.even || alone()) return;
  list.querySelectorAll('.in-segment input').forEach((box, index) => { if (knots.length > index + 1) box.value = (knots[index + 1] - knots[index]).toFixed(2); });
};
const paintKeys = () => {
  const used = alone() ? [] : segments();
  const boxes = () => [...list.querySelectorAll('.in-segment :is(input, select)')], focused = boxes().indexOf(document.activeElement);
  list.replaceChildren(...keys.flatMap((key, index) => [keyCard(key, index), ...(used.includes(key) && keys.length > 1 ? [segmentCard(key, index)] : [])]));
  boxes()[focused]?.focus(); // arrow keys go on stepping it
  paintTimes();
};
onPaint.push(paintKeys);

// -- more of them -------------------------------------------------------------------------------------
const timed = (recipe, image, like = keys.at(-1) ?? { seconds: 2, easing: spec.kind === 'spline' ? 'linear' : 'smooth' }) =>
  ({ recipe, image, seconds: like.seconds, easing: like.easing });
const replace = async (make, before = () => {}) => { // the keyframes by others at their times, by as many as make() gives; true where it was done
  let of, recipes, answer;
  do { // anew where the film has changed meanwhile
    [of, recipes] = [version, make()];
    answer = await D.ask(server.draw, { recipes, side: 192 });
    if (!told(answer)) { if (model) modelBox.value = model.name; return false; }
  } while (of !== version);
  before();
  keys = recipes.map((recipe, index) => timed(recipe, answer.images[index], keys[index]));
  changed();
  return true;
};
const add = async (recipes) => { // after the keyframes there are; true where it was done
  if (recipes.length + keys.length > MOST_KEYS) { say(T('i_most', { most: MOST_KEYS }), true); return false; }
  const of = model, answer = await D.ask(server.draw, { recipes, side: 192 });
  if (of !== model || !told(answer)) return false;
  const first = !keys.length;
  keys = [...keys, ...recipes.map((recipe, index) => timed(recipe, answer.images[index]))];
  changed();
  if (!first) list.scrollTo?.({ left: list.scrollWidth, behavior: 'smooth' });
  return true;
};
const fromSeed = (seed) => ({ ...D.clone(fresh), seeds: [[seed, 1]], label: model.classes.length ? +classBox.value : null });
const seedBox = h('input', { id: 'interpolate-seed', type: 'number', min: 0, max: MOST_SEED, step: 1, placeholder: T('c_seed'), 'aria-label': T('c_seed') });
const addSeed = () => {
  const empty = seedBox.value === '' && !seedBox.validity.badInput, seed = empty ? D.randomSeed() : D.readSeed(seedBox);
  if (seed === null) { say(T('c_seed_wrong'), true); return null; }
  seedBox.removeAttribute('aria-invalid');
  seedBox.value = '';
  return add([fromSeed(seed)]);
};
seedBox.addEventListener('keydown', (event) => { if (event.key === 'Enter') addSeed(); });
const addButton = button('interpolate-add', T('i_add'), 'add', addSeed);
const random = button('interpolate-random', T('c_random'), 'random', () => add([fromSeed(D.randomSeed())]));
const current = button('interpolate-current', T('c_from_explore'), 'add', () => { if (D.current) { defaults = null; accept(D.clone(D.current)); } });
const none = button('interpolate-clear', T('i_clear'), 'remove', () => { keys = []; changed(); });
