// Cards of the library. props.value = {cards: [{name, title, facts, image}], chosen}; a click triggers 'select'.
const D = window.imagenDemo, { h } = D;
const root = element.querySelector('.mo-root');
const draw = () => {
  const { cards, chosen } = props.value || { cards: [] };
  const buttons = () => [...root.querySelectorAll('button')], focused = buttons().indexOf(document.activeElement);
  root.replaceChildren(h('div', { class: 'mo-cards' }, cards.map((card) =>
    h('button', { type: 'button', class: 'mo-card', 'data-model': card.name, 'aria-pressed': String(card.name === chosen),
      onclick: () => trigger('select', { index: 0, value: card.name }) },
      h('div', { class: `pic ${card.image ? 'im-alpha' : ''}` }, card.image ? h('img', { src: card.image, alt: card.title }) : null),
      h('div', { class: 'txt' }, h('b', {}, card.title), h('span', {}, card.facts))))));
  buttons()[focused]?.focus();
};
watch('value', draw);
draw();
