SELECT
  txt_detl_idt_pedi_pgto,
  item['nom_item']           AS nom_item,
  item['cod_ofrt_ineo_requ'] AS cod_ofrt_ineo_requ,
  item['vlr_oril']           AS vlr_oril,
  item['vlr_prod']           AS vlr_prod,
  item['vlr_prod_ofrt_desc'] AS vlr_prod_ofrt_desc,
  item['qtd_item_pedi']      AS qtd_item_pedi,
  item['idt_venr']           AS idt_venr,
  item['nom_venr']           AS nom_venr,
  item['idt_vrne_venr']      AS idt_vrne_venr,
  item['cod_vrne_prod']      AS cod_vrne_prod,
  dat_atui
FROM (SELECT *, unnest(list_item_pedi) AS item FROM events)
