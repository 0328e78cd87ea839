//! What is sold, by whom and where: everything follows from a product's or a seller's number.

use super::random::{chosen, mixed};

/// How many products there are.
pub(super) const PRODUCTS: u64 = 4_000;
/// How many sellers there are.
pub(super) const SELLERS: u64 = 300;

/// One thing that can be bought, of one seller.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    number: u64,
}

/// One shop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seller {
    number: u64,
}

impl Product {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number: number % PRODUCTS,
        }
    }

    /// Its name in three parts: thing, kind, make.
    pub(super) fn name(self) -> [&'static str; 3] {
        let bits = self.bits();
        [
            chosen(&THINGS, self.number),
            chosen(&KINDS, bits >> 8),
            chosen(&MAKES, bits >> 24),
        ]
    }

    /// What it usually costs, in cents: 9.90 to 1,509.90.
    pub(super) fn price(self) -> u64 {
        990 + (self.bits() >> 32) % 1_501 * 100
    }

    pub(super) fn seller(self) -> Seller {
        Seller {
            number: (self.bits() >> 16) % SELLERS,
        }
    }

    /// 64 bits of its own, of which its codes are made.
    pub(super) fn bits(self) -> u64 {
        mixed(self.number.wrapping_add(0x70_726f_6475_746f))
    }
}

impl Seller {
    /// Its name in parts: shop, family, city and state.
    pub(super) fn name(self) -> [&'static str; 3] {
        let bits = self.bits();
        [
            chosen(&SHOPS, bits),
            chosen(&FAMILIES, self.number),
            chosen(&CITIES, bits >> 16),
        ]
    }

    /// 64 bits of its own, of which its code is made.
    pub(super) fn bits(self) -> u64 {
        mixed(self.number.wrapping_add(0x76_656e_6465_646f))
    }
}

const THINGS: [&str; 48] = [
    "Rede de descanso",
    "Garrafa térmica",
    "Cuia para chimarrão",
    "Filtro de barro",
    "Panela de pressão",
    "Liquidificador",
    "Cafeteira italiana",
    "Jogo de lençóis",
    "Toalha de banho",
    "Edredom casal",
    "Travesseiro",
    "Mochila escolar",
    "Caderno universitário",
    "Fone de ouvido",
    "Caixa de som",
    "Carregador portátil",
    "Suporte para celular",
    "Teclado sem fio",
    "Luminária de mesa",
    "Ventilador de coluna",
    "Cadeira de praia",
    "Guarda-sol",
    "Caixa térmica",
    "Chinelo de borracha",
    "Tênis de corrida",
    "Camiseta de algodão",
    "Vestido longo",
    "Bola de futebol",
    "Raquete de tênis",
    "Bicicleta aro 29",
    "Capacete",
    "Patinete",
    "Quebra-cabeça",
    "Jogo de tabuleiro",
    "Boneca de pano",
    "Carrinho de madeira",
    "Ração para cães",
    "Areia para gatos",
    "Coleira",
    "Vaso de cerâmica",
    "Kit de jardinagem",
    "Mangueira 20 m",
    "Furadeira",
    "Jogo de chaves",
    "Escada de alumínio",
    "Perfume",
    "Protetor solar",
    "Hidratante",
];

const KINDS: [&str; 16] = [
    "azul",
    "preto",
    "verde-limão",
    "vermelho",
    "grande",
    "compacto",
    "dobrável",
    "infantil",
    "premium",
    "básico",
    "artesanal",
    "reforçado",
    "edição especial",
    "kit com 2",
    "kit com 3",
    "sustentável",
];

const MAKES: [&str; 16] = [
    "Serra Azul",
    "Ipê",
    "Maré Alta",
    "Lumiar",
    "Taboa",
    "Jatobá",
    "Guará",
    "Pé de Moleque",
    "Araponga",
    "Vila Nova",
    "Cipó",
    "Caraíva",
    "Mandacaru",
    "Três Rios",
    "Aurora",
    "Boa Hora",
];

const SHOPS: [&str; 8] = [
    "Armazém",
    "Loja",
    "Empório",
    "Casa",
    "Bazar",
    "Mercearia",
    "Ateliê",
    "Distribuidora",
];

const FAMILIES: [&str; 30] = [
    "Almeida",
    "Araújo",
    "Barbosa",
    "Cardoso",
    "Conceição",
    "Correia",
    "Dias",
    "Esteves",
    "Farias",
    "Fonseca",
    "Gonçalves",
    "Guimarães",
    "Junqueira",
    "Lacerda",
    "Leitão",
    "Macêdo",
    "Magalhães",
    "Marçal",
    "Moura",
    "Nóbrega",
    "Paixão",
    "Peçanha",
    "Queirós",
    "Rezende",
    "Simões",
    "Taveira",
    "Uchôa",
    "Valadão",
    "Xavier",
    "Zanetti",
];

const CITIES: [&str; 24] = [
    "São Paulo (SP)",
    "Campinas (SP)",
    "Santos (SP)",
    "Rio de Janeiro (RJ)",
    "Niterói (RJ)",
    "Belo Horizonte (MG)",
    "Uberlândia (MG)",
    "Vitória (ES)",
    "Salvador (BA)",
    "Ilhéus (BA)",
    "Recife (PE)",
    "Olinda (PE)",
    "Fortaleza (CE)",
    "São Luís (MA)",
    "Belém (PA)",
    "Manaus (AM)",
    "Brasília (DF)",
    "Goiânia (GO)",
    "Cuiabá (MT)",
    "Curitiba (PR)",
    "Londrina (PR)",
    "Florianópolis (SC)",
    "Joinville (SC)",
    "Porto Alegre (RS)",
];
