// A table of pictures with heads, to be walked with the arrow keys; shared by Mix and Grid.
const pictureTable = (id, label) => {
  const node = h('div', { class: 'im-table', id, role: 'group', 'aria-label': label });
  let cells = [], columns = 0, shape = '';
  const across = h('div', { class: 'im-table-across' }), down = h('div', { class: `im-table-down ${D.chinese ? '' : 'im-upwards'}` }), box = h('div', { class: 'im-table-box' }, across, down, node);
  const cell = (row, column, kind, name, onclick) => {
    const image = h('img', { alt: '' }), tag = h('span', {}, '');
    const button = h('button', { type: 'button', class: `im-cell ${kind}`, 'data-cell': `${row}.${column}`, onclick }, image, tag);
    button.addEventListener('keydown', (event) => {
      const to = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
      const next = to && node.querySelector(`[data-cell="${row + to[0]}.${column + to[1]}"]`);
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
    return { button, image, tag, name };
  };
  // entries: rows of {recipe, name, tag, head}; null leaves a place empty. Pictures stay until newer ones come.
  const build = (entries, titles, heads) => {
    const wanted = JSON.stringify([entries.map((row) => row.map((entry) => entry?.head ?? null)), heads, model.name]);
    columns = entries[0].length;
    across.textContent = titles.across || '';
    down.textContent = titles.down || '';
    down.hidden = !titles.down;
    if (wanted !== shape) {
      shape = wanted;
      cells = [];
      const labelled = entries.length > 1 && !entries[1][0].recipe; // by names down the side
      node.style.gridTemplateColumns = `${labelled ? 'max-content ' : ''}repeat(${columns - labelled}, minmax(44px, 150px))`;
      node.replaceChildren(...entries.flatMap((row, y) => row.map((entry, x) => {
        if (!entry) return h('div');
        if (!entry.recipe) return h('div', { class: `im-table-label ${y ? 'im-table-row' : ''}`, title: entry.name }, entry.name);
        const made = cell(y, x, `${entry.head ? 'im-head-cell' : ''} ${model.alpha ? 'im-alpha' : ''}`, entry.name, () => made.pick());
        cells.push(made);
        return made.button;
      })));
    } else entries.forEach((row, y) => row.forEach((entry, x) => { if (entry && !entry.recipe) node.children[y * columns + x].textContent = entry.name; }));
    const pictured = entries.flat().filter((entry) => entry?.recipe);
    pictured.forEach((entry, index) => {
      const made = cells[index];
      made.button.setAttribute('aria-label', entry.name);
      made.button.title = entry.name;
      made.tag.textContent = entry.tag || '';
      made.pick = () => {
        cells.forEach((other) => other.button.setAttribute('aria-pressed', other === made));
        choose(entry.recipe, made.image.src);
      };
      const pressed = made.button.getAttribute('aria-pressed') === 'true';
      if (pressed && chosen) choose(entry.recipe, made.image.src); // its recipe has changed under it
    });
    return pictured.map((entry) => entry.recipe);
  };
  return { node: box, build, put: (index, src) => { if (cells[index]) cells[index].image.src = src; } };
};
// An event in Python makes the labelled picture; `grid` is its whole description.
let madeIn = null; // the view whose picture the download box below has
const exporter = (id, grid) => {
  const side = h('select', { id: `${id}-side`, 'aria-label': T('v_side') });
  D.options(side, [64, 128, 256].map((n) => [n, `${n} px`]), 128);
  const save = button(`${id}-export`, T('v_export'), 'download', () => {
    if (!grid()) return;
    madeIn = view;
    stage.classList.remove('im-not-its');
    trigger('table', { grid: grid(), side: +side.value, chinese: D.chinese, job: D.ticket() });
  });
  return h('div', { class: 'im-export' }, D.field(T('v_side'), side), save);
};
