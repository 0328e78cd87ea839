-- One event: the state of an order at `dat_atui`. Fields that are not named here are kept in
-- `_rescued_data`.
CREATE TABLE marketing_place (
  txt_detl_idt_pedi_pgto STRING NOT NULL CHECK (txt_detl_idt_pedi_pgto <> '') COMMENT 'order id',
  cod_idef_clie          STRING COMMENT 'customer',
  dat_hor_tran           TIMESTAMP COMMENT 'creation of the order',
  stat_pgto              STRING COMMENT 'payment status',
  stat_pedi              STRING COMMENT 'order status',
  dat_atui               TIMESTAMP NOT NULL COMMENT 'last update of the order',
  list_item_pedi         ARRAY<STRUCT<
    nom_item: STRING,
    cod_ofrt_ineo_requ: STRING,
    idt_venr: STRING,
    nom_venr: STRING,
    idt_vrne_venr: STRING,
    cod_vrne_prod: STRING,
    vlr_oril: DECIMAL(18,2),
    vlr_prod: DECIMAL(18,2),
    vlr_prod_ofrt_desc: DECIMAL(18,2),
    qtd_item_pedi: BIGINT
  >>,
  list_envo              ARRAY<STRUCT<
    cod_tipo_entg: STRING,
    cod_venr: STRING,
    nom_stat_entg: STRING,
    dat_emis_cpvt: STRING,
    list_item_envo: ARRAY<STRUCT<
      cod_prod: STRING,
      cod_prod_venr: STRING,
      stat_entg: STRING,
      qtd_prod: BIGINT
    >>
  >>
)
