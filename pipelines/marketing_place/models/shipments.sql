SELECT
  txt_detl_idt_pedi_pgto,
  list_envo,
  dat_atui
FROM events
