// The Explore tab, 4: a pad that moves in two directions at once.
const REACH = 3, PAD_HELP = T(matchMedia('(hover: none)').matches ? 'x_pad_help_touch' : 'x_pad_help');
let axes = ['', '']; // ids of the directions across and up
const thumb = h('span', { class: 'ex-thumb' });
const pad = h('div', { class: 'ex-pad', id: 'explore-pad', tabindex: '0', role: 'application', 'aria-describedby': 'explore-pad-value' }, thumb);
const padValue = h('p', { class: 'ex-say ex-middle', id: 'explore-pad-value', 'aria-live': 'polite' });
const axisMenu = (index) => {
  const menu = h('select', { id: `explore-pad-${'xy'[index]}`, 'aria-label': T(`x_pad_${'xy'[index]}`) });
  menu.addEventListener('change', () => usePad(index, menu.value, false));
  return menu;
};
const axisMenus = [axisMenu(0), axisMenu(1)];
const padFold = h('details', { class: 'im-more', id: 'explore-pad-fold' }, h('summary', {}, T('x_pad')), pad, padValue,
  h('div', { class: 'im-pair' }, D.field(T('x_pad_x'), axisMenus[0]), D.field(T('x_pad_y'), axisMenus[1])),
  h('p', { class: 'ex-say' }, PAD_HELP));

const axisName = (index) => directionOf(axes[index])?.name ?? '';
const paintPad = () => {
  if (!axes[0]) return;
  const [a, b] = axes.map(amountOf);
  thumb.style.left = `${50 + 50 * clamp(a / REACH, -1, 1)}%`;
  thumb.style.top = `${50 - 50 * clamp(b / REACH, -1, 1)}%`;
  pad.setAttribute('aria-label', T('x_pad_area', { x: axisName(0), y: axisName(1), help: PAD_HELP }));
  padValue.textContent = T('x_pad_value', { x: axisName(0), y: axisName(1), a: a.toFixed(2), b: b.toFixed(2) });
};
const usePad = (index, id, unfold = true) => {
  if (axes[1 - index] === id) axes[1 - index] = axes[index]; // the two change places
  axes[index] = id;
  axisMenus.forEach((menu, each) => { menu.value = axes[each]; });
  extras.pad = axes.join(',');
  address();
  if (unfold) { padFold.open = true; D.reveal(padFold); }
  paintPad();
};
onModel.push(() => {
  const there = model.directions.filter(({ hidden }) => !hidden);
  padFold.hidden = there.length < 2;
  axisMenus.forEach((menu) => D.options(menu, there.map(({ id, name }) => [id, name]), ''));
  if (!axes.every(directionOf)) axes = [there[0]?.id ?? '', there[1]?.id ?? ''];
  axisMenus.forEach((menu, index) => { menu.value = axes[index]; });
});
onPaint.push(paintPad);

const padTo = (a, b) => {
  setAmount(axes[0], a);
  setAmount(axes[1], b);
  axes.forEach((id) => rows.get(id)?.slider.set(amountOf(id)));
  paintPad();
  countSet();
  draw();
};
const twentieths = (value) => Math.round(20 * clamp(value, -REACH, REACH)) / 20;
const padAt = (event) => {
  const box = pad.getBoundingClientRect();
  padTo(twentieths(REACH * (2 * (event.clientX - box.left) / box.width - 1)), twentieths(REACH * (1 - 2 * (event.clientY - box.top) / box.height)));
};
pad.addEventListener('pointerdown', (event) => { pad.setPointerCapture(event.pointerId); pad.focus(); event.preventDefault(); padAt(event); });
pad.addEventListener('pointermove', (event) => { if (pad.hasPointerCapture(event.pointerId)) padAt(event); });
pad.addEventListener('pointerup', () => commit('pad'));
pad.addEventListener('dblclick', () => { padTo(0, 0); commit('pad'); });
pad.addEventListener('keydown', (event) => {
  const by = event.shiftKey ? 0.5 : 0.1;
  const [x, y] = { ArrowRight: [by, 0], ArrowLeft: [-by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] }[event.key] ?? [0, 0];
  if (x || y) padTo(twentieths(amountOf(axes[0]) + x), twentieths(amountOf(axes[1]) + y));
  else if (event.key === 'Delete' || event.key === 'Backspace') padTo(0, 0);
  else return;
  event.preventDefault();
  commit('pad');
});
