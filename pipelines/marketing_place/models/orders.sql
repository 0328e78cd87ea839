SELECT
  txt_detl_idt_pedi_pgto,
  cod_idef_clie,
  dat_hor_tran,
  stat_pgto,
  stat_pedi,
  dat_atui,
  _rescued_data
FROM events
