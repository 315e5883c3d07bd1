// Breeding: nine pictures, pick one or more, nine children of these. The whole family is kept in the browser, by model:
// family = {litters: [{parents: ["litter.child", ...], recipes, seed, strength}], at, picked: [child, ...]}
const breedView = (() => {
  const COUNT = 9, MOST_LITTERS = 100;
  let family = null, of = '', images = new Map(), wish = 0; // images: recipe's JSON -> picture; of wishes the newest counts
  const litter = () => family.litters[family.at];
  const recipeOf = (name) => { const [l, c] = name.split('.'); return family.litters[l].recipes[c]; };
  const keyOf = (recipe) => JSON.stringify(recipe);

  // -- what the browser keeps ----------------------------------------------------------------------------
  const place = () => `imagen-family-${of}`;
  const keep = () => { try { localStorage.setItem(place(), JSON.stringify(family)); } catch { /* full, or a private window */ } };
  const sound = (found) => Array.isArray(found?.litters) && found.litters.length && found.at < found.litters.length
    && found.litters.every((each) => Array.isArray(each.parents) && Array.isArray(each.recipes) && each.recipes.every((r) => r.model === of && Array.isArray(r.seeds)));
  const remembered = () => {
    try { const found = JSON.parse(localStorage.getItem(place())); return sound(found) ? { picked: [], ...found } : null; } catch { return null; }
  };
  const trim = () => { // the oldest litters that nobody descends from
    while (family.litters.length > MOST_LITTERS) {
      const used = new Set(family.litters.flatMap((each) => each.parents.map((name) => +name.split('.')[0])));
      const gone = family.litters.findIndex((_, index) => index !== family.at && !used.has(index));
      if (gone < 0) return;
      family.litters.splice(gone, 1);
      if (family.at > gone) family.at -= 1;
      for (const each of family.litters) each.parents = each.parents.map((name) => { const [l, c] = name.split('.').map(Number); return `${l > gone ? l - 1 : l}.${c}`; });
    }
  };

  // -- nine pictures -------------------------------------------------------------------------------------
  const cells = Array.from({ length: COUNT }, (_, index) => {
    const image = h('img', { alt: '' });
    const cell = h('button', { type: 'button', class: 'im-cell', 'data-child': String(index), 'aria-pressed': 'false', onclick: () => pick(index) }, image, h('span', {}, ''));
    cell.addEventListener('keydown', (event) => { // arrows walk among the nine
      const to = { ArrowRight: index + 1, ArrowLeft: index - 1, ArrowDown: index + 3, ArrowUp: index - 3 }[event.key];
      if (to == null || !cells[to]) return;
      event.preventDefault();
      cells[to].focus();
    });
    return cell;
  });
  const nine = h('div', { class: 'im-nine', id: 'discover-nine', role: 'group', 'aria-label': T('v_nine') }, cells);
  const pick = (index) => {
    if (!family) return; // on its way
    const at = family.picked.indexOf(index);
    if (at < 0) family.picked.push(index); else family.picked.splice(at, 1);
    const recipe = litter().recipes[index];
    choose(recipe, images.get(keyOf(recipe)));
    keep();
    paint();
  };
  const paint = () => {
    cells.forEach((cell, index) => {
      const recipe = litter().recipes[index];
      cell.hidden = !recipe;
      if (!recipe) return;
      cell.setAttribute('aria-pressed', family.picked.includes(index));
      cell.setAttribute('aria-label', T('v_child', { number: index + 1, what: brief(recipe) }));
      cell.title = describe(recipe);
      cell.classList.toggle('im-alpha', model.alpha);
      const src = images.get(keyOf(recipe));
      if (src) cell.firstChild.src = src; else cell.firstChild.removeAttribute('src');
    });
    next.disabled = !family.picked.length;
    again.disabled = !litter().parents.length;
    said.textContent = T(family.picked.length ? 'v_picked' : 'v_pick', { count: family.picked.length });
    tree.paint(family, recipeOf, images, keyOf);
  };
  const draw = async () => { // the nine, then the ancestors the tree shows
    const alive = run.start();
    paint();
    const missing = [...litter().recipes, ...tree.names(family).map(recipeOf)].filter((recipe) => !images.has(keyOf(recipe)));
    await pictures(missing, 256, (at, src) => { images.set(keyOf(missing[at]), src); if (images.size > 900) images.delete(images.keys().next().value); paint(); }, alive, { quiet: true });
    run.end(alive);
  };

  // -- generations ---------------------------------------------------------------------------------------
  const born = (parents, recipes, seed) => {
    family.litters.push({ parents, recipes, seed, strength: strength.value });
    Object.assign(family, { at: family.litters.length - 1, picked: [] });
    trim();
    keep();
    say('');
    draw();
  };
  const breed = async (names) => {
    const seed = D.randomSeed(), mine = ++wish;
    const answer = await ask(server.breed, { parents: names.map(recipeOf), seed, strength: strength.value });
    if (answer && wish === mine) born(names, answer.recipes, seed);
  };
  const begin = async () => { // a new family, of random pictures
    const seed = D.randomSeed(), mine = ++wish;
    const answer = await ask(server.breed, { parents: [], seed, base: { ...plain(0), label: label() } });
    if (!answer || wish !== mine) return;
    family = { litters: [], at: 0, picked: [] };
    born([], answer.recipes, seed);
  };
  const breedFrom = async (recipe) => { // one more root of the family, and its children
    const parent = { ...D.clone(blank), ...D.clone(recipe), model_hash: '' }, seed = D.randomSeed(), mine = ++wish;
    const answer = await ask(server.breed, { parents: [parent], seed, strength: strength.value });
    if (!answer || wish !== mine) return;
    family ||= { litters: [], at: 0, picked: [] };
    const first = family.litters.push({ parents: [], recipes: [parent], seed, strength: 0 }) - 1;
    born([`${first}.0`], answer.recipes, seed);
  };
  const next = button('discover-breed-next', T('v_next'), 'right', () => breed(family.picked.map((child) => `${family.at}.${child}`)), { kind: 'im-primary' });
  const again = button('discover-breed-again', T('v_again'), 'random', () => breed(litter().parents));
  let asked = 0;
  const fresh = button('discover-breed-new', T('v_new_family'), 'add', () => { // twice, since a family is lost by it
    if (family?.litters.length > 1 && Date.now() - asked > 4000) { asked = Date.now(); say(T('v_new_sure')); return; }
    asked = 0;
    begin();
  });
  const run = D.runs('discover-breed-cancel', T, say);
  const said = h('p', { class: 'im-help', id: 'discover-breed-said', 'aria-live': 'polite' });
  const strength = D.slider({ id: 'discover-strength', label: T('v_strength'), min: 0, max: 1, step: 0.05, initial: 0.3, limited });
  strength.node.title = T('v_strength_help');
  const tree = familyTree((name) => { // an ancestor: its litter again, itself picked
    const [l, c] = name.split('.').map(Number);
    Object.assign(family, { at: l, picked: [c] });
    const recipe = recipeOf(name);
    choose(recipe, images.get(keyOf(recipe)));
    keep();
    draw();
  }, (at) => { Object.assign(family, { at, picked: [] }); keep(); draw(); });

  const stage = h('div', { class: 'im-stack' }, nine, said, h('div', { class: 'im-bar' }, next, again, fresh, run.cancel),
    h('h3', { class: 'im-title' }, T('v_tree')), tree.node);
  const panel = h('section', { class: 'im-panel' }, strength.node, h('p', { class: 'im-help' }, T('v_breed_help')));
  const open = () => {
    if (of !== model.name) { of = model.name; family = remembered(); wish += 1; }
    if (family) { draw(); return; }
    cells.forEach((cell) => cell.firstChild.removeAttribute('src'));
    next.disabled = again.disabled = true;
    begin();
  };
  const rename = (from, to) => {
    if (of !== from) return;
    [of, family] = [to, D.renamed(family, from, to)];
    images.clear();
    keep();
  };
  return { id: 'breed', rename, title: T('v_breed'), stage, panel, open, all: true, leave: () => run.stop(), take: breedFrom };
})();
