-- Later rows of one event win: the last item line of a seller.
SELECT
  item['idt_venr'] AS idt_venr,
  item['nom_venr'] AS nom_venr,
  dat_atui
FROM (SELECT *, unnest(list_item_pedi) AS item FROM events)
WHERE item['idt_venr'] <> ''
