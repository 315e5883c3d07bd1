// The family tree: a row for each generation, of those who became parents; lines lead to their children.
const familyTree = (onancestor, onlitter) => {
  const SIZE = 52, GAP = 18, RISE = 34, SVG = 'http://www.w3.org/2000/svg';
  const lines = document.createElementNS(SVG, 'svg');
  lines.setAttribute('aria-hidden', 'true');
  const field = h('div', { class: 'im-tree-field' });
  const node = h('div', { class: 'im-tree', id: 'discover-tree', role: 'group', 'aria-label': T('v_tree') }, field);

  // "litter.child" of everybody who has children, or is picked just now.
  const names = (family) => [...new Set([...family.litters.flatMap((litter) => litter.parents), ...family.picked.map((child) => `${family.at}.${child}`)])];
  const generations = (family) => { // of each litter; parents come before their children
    const depth = [];
    family.litters.forEach((litter, index) => { depth[index] = litter.parents.length ? 1 + Math.max(...litter.parents.map((name) => depth[name.split('.')[0]] ?? 0)) : 0; });
    return depth;
  };
  const layOut = (family) => { // {name: [x, row]}; a litter nobody is picked from stands as "litter.?"
    const depth = generations(family), places = {}, rows = [];
    const everybody = names(family), settled = new Set(everybody.map((name) => +name.split('.')[0]));
    if (!settled.has(family.at)) everybody.push(`${family.at}.?`);
    for (const name of everybody) (rows[depth[name.split('.')[0]]] ||= []).push(name);
    rows.forEach((row, level) => {
      const middle = (name) => { const above = family.litters[name.split('.')[0]].parents.map((parent) => places[parent][0]); return above.length ? above.reduce((a, b) => a + b) / above.length : 0; };
      const order = row.map((name) => [middle(name), name]).sort((a, b) => a[0] - b[0] || a[1].localeCompare(b[1], 'en', { numeric: true }));
      order.forEach(([, name], index) => { places[name] = [(index - (row.length - 1) / 2) * (SIZE + GAP), level]; });
    });
    return [places, rows.length];
  };
  const paint = (family, recipeOf, images, keyOf) => {
    const [places, levels] = layOut(family), xs = Object.values(places).map(([x]) => x);
    const left = Math.min(...xs), width = Math.max(...xs) - left + SIZE, height = levels * (SIZE + RISE) - RISE;
    field.style.width = `${width}px`;
    field.style.height = `${height}px`;
    lines.setAttribute('width', width);
    lines.setAttribute('height', height);
    lines.replaceChildren();
    const focused = document.activeElement?.dataset?.name;
    field.replaceChildren(lines, ...Object.entries(places).map(([name, [x, level]]) => {
      const top = level * (SIZE + RISE), [l, c] = name.split('.');
      for (const parent of family.litters[l].parents) {
        const [px, above] = places[parent], y = above * (SIZE + RISE) + SIZE, path = document.createElementNS(SVG, 'path');
        const [a, b] = [px - left + SIZE / 2, x - left + SIZE / 2], bend = (y + top) / 2;
        path.setAttribute('d', `M${a} ${y}C${a} ${bend} ${b} ${bend} ${b} ${top}`);
        lines.append(path);
      }
      const here = +l === family.at, style = `left:${x - left}px;top:${top}px;width:${SIZE}px;height:${SIZE}px`;
      if (c === '?') return h('button', { type: 'button', class: 'im-tree-node im-tree-open', style, 'aria-label': T('v_present'), title: T('v_present'), 'data-name': name, onclick: () => onlitter(+l) }, '?');
      const recipe = recipeOf(name), src = images.get(keyOf(recipe));
      return h('button', { type: 'button', class: `im-tree-node ${model.alpha ? 'im-alpha' : ''}`, style, 'data-name': name, 'aria-pressed': here && family.picked.includes(+c),
        'aria-label': T('v_ancestor', { generation: level + 1, what: brief(recipe) }), title: T('v_ancestor', { generation: level + 1, what: describe(recipe) }), onclick: () => onancestor(name) },
      src ? h('img', { src, alt: '' }) : null);
    }));
    if (focused) field.querySelector(`[data-name="${focused}"]`)?.focus();
  };
  return { node, paint, names };
};
