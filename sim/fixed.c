/* How: the top bits of the argument choose a table entry, a short polynomial in the rest does
 * the remainder. All tables and coefficients were computed with 50 digits and rounded down,
 * except those of the normal quantile, which are to nearest; tests/test_dist.c computes the
 * first three tables again, bit by bit with integers alone. */
#include "sim/fixed.h"

#define Q56_FRACTION ((UINT64_C(1) << 56) - 1)

/* Entry i: 2^64 * 128 / (128 + i), where 2^64 itself is one less to fit. */
static const uint64_t log2_inverse[128] = {
    0xffffffffffffffff, 0xfe03f80fe03f80fe, 0xfc0fc0fc0fc0fc0f, 0xfa232cf252138abf,
    0xf83e0f83e0f83e0f, 0xf6603d980f6603d9, 0xf4898d5f85bb3950, 0xf2b9d6480f2b9d64,
    0xf0f0f0f0f0f0f0f0, 0xef2eb71fc4345238, 0xed7303b5cc0ed730, 0xebbdb2a5c1619c8b,
    0xea0ea0ea0ea0ea0e, 0xe865ac7b7603a196, 0xe6c2b4481cd85689, 0xe525982af70c880e,
    0xe38e38e38e38e38e, 0xe1fc780e1fc780e1, 0xe070381c0e070381, 0xdee95c4ca037ba57,
    0xdd67c8a60dd67c8a, 0xdbeb61eed19c5957, 0xda740da740da740d, 0xd901b2036406c80d,
    0xd79435e50d79435e, 0xd62b80d62b80d62b, 0xd4c77b03531dec0d, 0xd3680d3680d3680d,
    0xd20d20d20d20d20d, 0xd0b69fcbd2580d0b, 0xcf6474a8819ec8e9, 0xce168a7725080ce1,
    0xcccccccccccccccc, 0xcb8727c065c393e0, 0xca4587e6b74f0329, 0xc907da4e871146ac,
    0xc7ce0c7ce0c7ce0c, 0xc6980c6980c6980c, 0xc565c87b5f9d4d1b, 0xc4372f855d824ca5,
    0xc30c30c30c30c30c, 0xc1e4bbd595f6e947, 0xc0c0c0c0c0c0c0c0, 0xbfa02fe80bfa02fe,
    0xbe82fa0be82fa0be, 0xbd69104707661aa2, 0xbc52640bc52640bc, 0xbb3ee721a54d880b,
    0xba2e8ba2e8ba2e8b, 0xb92143fa36f5e02e, 0xb81702e05c0b8170, 0xb70fbb5a19be3658,
    0xb60b60b60b60b60b, 0xb509e68a9b94821f, 0xb40b40b40b40b40b, 0xb30f63528917c80b,
    0xb21642c8590b2164, 0xb11fd3b80b11fd3b, 0xb02c0b02c0b02c0b, 0xaf3addc680af3add,
    0xae4c415c9882b931, 0xad602b580ad602b5, 0xac7691840ac76918, 0xab8f69e28359cd11,
    0xaaaaaaaaaaaaaaaa, 0xa9c84a47a07f5637, 0xa8e83f5717c0a8e8, 0xa80a80a80a80a80a,
    0xa72f05397829cbc1, 0xa655c4392d7b73a7, 0xa57eb50295fad40a, 0xa4a9cf1d96833751,
    0xa3d70a3d70a3d70a, 0xa3065e3fae7cd0e0, 0xa237c32b16cfd772, 0xa16b312ea8fc377c,
    0xa0a0a0a0a0a0a0a0, 0x9fd809fd809fd809, 0x9f1165e7254813e2, 0x9e4cad23dd5f3a20,
    0x9d89d89d89d89d89, 0x9cc8e160c3fb19b8, 0x9c09c09c09c09c09, 0x9b4c6f9ef03a3ca9,
    0x9a90e7d95bc609a9, 0x99d722dabde58f06, 0x991f1a515885fb37, 0x9868c809868c8098,
    0x97b425ed097b425e, 0x97012e025c04b809, 0x964fda6c0964fda6, 0x95a02568095a0256,
    0x94f2094f2094f209, 0x9445809445809445, 0x939a85c40939a85c, 0x92f113840497889c,
    0x9249249249249249, 0x91a2b3c4d5e6f809, 0x90fdbc090fdbc090, 0x905a38633e06c43a,
    0x8fb823ee08fb823e, 0x8f1779d9fdc3a218, 0x8e78356d1408e783, 0x8dda520237694808,
    0x8d3dcb08d3dcb08d, 0x8ca29c046514e023, 0x8c08c08c08c08c08, 0x8b70344a139bc75a,
    0x8ad8f2fba9386822, 0x8a42f8705669db46, 0x89ae4089ae4089ae, 0x891ac73ae9819b50,
    0x8888888888888888, 0x87f78087f78087f7, 0x8767ab5f34e47ef1, 0x86d905447a34acc6,
    0x864b8a7de6d1d608, 0x85bf37612cee3c9a, 0x8534085340853408, 0x84a9f9c8084a9f9c,
    0x8421084210842108, 0x839930523fbe3367, 0x83126e978d4fdf3b, 0x828cbfbeb9a020a3,
    0x8208208208208208, 0x81848da8faf0d277, 0x8102040810204081, 0x8080808080808080};

/* Entry i: 2^64 * log2(1 + i / 128). */
static const uint64_t log2_start[128] = {
    0x0000000000000000, 0x02dfca16dde10a2f, 0x05b9e5a170b48a62, 0x088e68ea899a0976,
    0x0b5d69bac77ec398, 0x0e26fd5c8555af7a, 0x10eb389fa29f9ab3, 0x13aa2fdd27f1c2d8,
    0x1663f6fac913167c, 0x1918a16e46335aae, 0x1bc84240adabba63, 0x1e72ec117fa5b21c,
    0x2118b119b4f3c72c, 0x23b9a32eaa56f6bd, 0x2655d3c4f15c343e, 0x28ed53f307ee9a62,
    0x2b803473f7ad0f3f, 0x2e0e85a9de04fe53, 0x309857a05e0765fb, 0x331dba0efce1be05,
    0x359ebc5b69d927df, 0x381b6d9bb29bdc81, 0x3a93dc9864b2df91, 0x3d0817ce9cd4998f,
    0x3f782d7204d01447, 0x41e42b6ec0c025bc, 0x444c1f6b4c2dd72c, 0x46b016ca47c1c14a,
    0x49101eac381ce609, 0x4b6c43f1366abdbc, 0x4dc4933a9337b366, 0x501918ec6c1125d6,
    0x5269e12f346e2bf9, 0x54b6f7f1325acdf7, 0x570068e7ef5a1e7e, 0x59463f919dee9b94,
    0x5b8887367433795e, 0x5dc74ae9fbecef91, 0x6002958c587150ca, 0x623a71cb82c89692,
    0x646eea247c5c22d2, 0x66a008e4788cbcd2, 0x68cdd829fd814275, 0x6af861e5fc7d2386,
    0x6d1fafdce20a8290, 0x6f43cba79e40c2ad, 0x7164beb4a56d59f9, 0x73829248e961f325,
    0x759d4f80cba83bf8, 0x77b4ff5108d9313a, 0x79c9aa879d534831, 0x7bdb59cca38881f4,
    0x7dea15a32c1b3b38, 0x7ff5e66a0ffe6ae7, 0x81fed45cbccbf99c, 0x8404e793fb81ea92,
    0x86082806b1d532c4, 0x88089d8a9e4753d8, 0x8a064fd50f2a1cf0, 0x8c01467b94bb5275,
    0x8df988f4ae806f1d, 0x8fef1e9874093212, 0x91e20ea1393e4040, 0x93d2602c2e5fc02b,
    0x95c01a39fbd6879f, 0x97ab43af59f930a1, 0x9993e355a4e53643, 0x9b79ffdb6c8b1202,
    0x9d5d9fd5010b3666, 0x9f3ec9bcfb80b357, 0xa11d83f4c3554b38, 0xa2f9d4c51039c526,
    0xa4d3c25e68dc57f2, 0xa6ab52d99e762253, 0xa8808c384547c6ef, 0xaa5374652a1c6d8d,
    0xac241134c4e99e1c, 0xadf26865a8a1a557, 0xafbe7fa0f04d75c6, 0xb1885c7aa9824203,
    0xb35004723c465e69, 0xb5157cf2d0785040, 0xb6d8cb53b0ca4ecb, 0xb899f4d8ab63df28,
    0xba58feb2703a9e37, 0xbc15edfeed32bbde, 0xbdd0c7c9a817204f, 0xbf89910c1678ae89,
    0xc1404eadf38396de, 0xc2f5058593d93084, 0xc4a7ba58377c5a03, 0xc65871da59dded9b,
    0xc80730b0001667f2, 0xc9b3fb6d055974e6, 0xcb5ed69565afaf7f, 0xcd07c69d87027ef4,
    0xceaecfea80859b33, 0xd053f6d260896731, 0xd1f73f9c70c0f683, 0xd398ae8179063dea,
    0xd53847ac00a69be6, 0xd6d60f388e41968a, 0xd8720935e6435ebd, 0xda0c39a548045ecb,
    0xdba4a47aa996d25a, 0xdd3b4d9cf24b2077, 0xded038e633f36da8, 0xe0636a23e2ee9b16,
    0xe1f4e5170d02a99b, 0xe384ad748f0e3b05, 0xe512c6e54998b1af, 0xe69f350654483612,
    0xe829fb693044b398, 0xe9b31d93f98ea94b, 0xeb3a9f01975077f1, 0xecc08321eb30a61e,
    0xee44cd59ffab62f3, 0xefc781043579625f, 0xf148a170700a00fd, 0xf2c831e4411672b0,
    0xf446359b13539551, 0xf5c2afc65447d86a, 0xf73da38d9d4a83eb, 0xf8b7140edbb181d9,
    0xfa2f045e7832aa72, 0xfba577877d7d6ebd, 0xfd1a708bbe119b14, 0xfe8df263f957ca15};

/* Entry i: 2^63 * 2^(i / 128). */
static const uint64_t exp2_start[128] = {
    0x8000000000000000, 0x80b1ed4fd999ab6c, 0x8164d1f3bc030773, 0x8218af4373fc25eb,
    0x82cd8698ac2ba1d7, 0x8383594eefb6ee36, 0x843a28c3acde4046, 0x84f1f656379c1a29,
    0x85aac367cc487b14, 0x8664915b923fba03, 0x871f61969e8d1010, 0x87db357ff698d791,
    0x88980e8092da8527, 0x8955ee03618e5fdc, 0x8a14d575496efd9a, 0x8ad4c6452c728924,
    0x8b95c1e3ea8bd6e6, 0x8c57c9c4646f4ddd, 0x8d1adf5b7e5ba9e5, 0x8ddf042022e69cd5,
    0x8ea4398b45cd53c0, 0x8f6a8117e6c8e5c4, 0x9031dc431466b1dc, 0x90fa4c8beee4b12a,
    0x91c3d373ab11c336, 0x928e727d9531f9ac, 0x935a2b2f13e6e92b, 0x9426ff0fab1c04b6,
    0x94f4efa8fef70961, 0x95c3fe86d6cc7fee, 0x96942d3720185a00, 0x97657d49f17ab08e,
    0x9837f0518db8a96f, 0x990b87e266c189a9, 0x99e0459320b7fa64, 0x9ab62afc94ff864a,
    0x9b8d39b9d54e5538, 0x9c6573682ec32c2d, 0x9d3ed9a72cffb750, 0x9e196e189d472420,
    0x9ef5326091a111ad, 0x9fd228256400dd05, 0xa0b0510fb9714fc2, 0xa18faeca8544b6e3,
    0xa27043030c496818, 0xa3520f68e802bb92, 0xa43515ae09e6809e, 0xa5195786be9ef339,
    0xa5fed6a9b15138ea, 0xa6e594cfeee86b1d, 0xa7cd93b4e9653569, 0xa8b6d5167b320e08,
    0xa9a15ab4ea7c0ef8, 0xaa8d2652ec907629, 0xab7a39b5a93ed337, 0xac6896a4be3fe929,
    0xad583eea42a14ac6, 0xae493452ca35b80e, 0xaf3b78ad690a4374, 0xb02f0dcbb6e04583,
    0xb123f581d2ac258f, 0xb21a31a66618fe3b, 0xb311c412a9112489, 0xb40aaea2654b9840,
    0xb504f333f9de6484, 0xb60093a85ed5f76b, 0xb6fd91e328d17791, 0xb7fbefca8ca41e7c,
    0xb8fbaf4762fb9ee9, 0xb9fcd2452c0b9dea, 0xbaff5ab2133e45fb, 0xbc034a7ef2e9fb0c,
    0xbd08a39f580c36be, 0xbe0f6809860993e2, 0xbf1799b67a731082, 0xc0213aa1f0d08db0,
    0xc12c4cca66709456, 0xc238d2311e3d6672, 0xc346ccda24976407, 0xc4563ecc5334cb32,
    0xc5672a115506dadd, 0xc67990b5aa245f79, 0xc78d74c8abb9b15c, 0xc8a2d85c8ffe2c45,
    0xc9b9bd866e2f27a2, 0xcad2265e4290774d, 0xcbec14fef2727c5c, 0xcd078b86503dcdd1,
    0xce248c151f8480e3, 0xcf4318cf191918c1, 0xd06333daef2b2594, 0xd184df6251699ac6,
    0xd2a81d91f12ae45a, 0xd3ccf099859ac379, 0xd4f35aabcfedfa1f, 0xd61b5dfe9f9bce06,
    0xd744fccad69d6af4, 0xd870394c6db32c84, 0xd99d15c278afd7b5, 0xdacb946f2ac9cc71,
    0xdbfbb797daf23755, 0xdd2d818508324c20, 0xde60f4825e0e9123, 0xdf9612deb8f04420,
    0xe0ccdeec2a94e111, 0xe2055afffe83d368, 0xe33f8972be8a5a51, 0xe47b6ca0373da88d,
    0xe5b906e77c8348a8, 0xe6f85aaaee1fce22, 0xe8396a503c4bdc68, 0xe97c38406c4f8c56,
    0xeac0c6e7dd24392e, 0xec0718b64c1cbddc, 0xed4f301ed9942b84, 0xee990f980da3025b,
    0xefe4b99bdcdaf5cb, 0xf13230a7ad094509, 0xf281773c59ffb139, 0xf3d28fde3a641a5a,
    0xf5257d152486cc2c, 0xf67a416c733f846d, 0xf7d0df730ad13bb8, 0xf92959bb5dd4ba74,
    0xfa83b2db722a033a, 0xfbdfed6ce5f09c48, 0xfd3e0c0cf486c174, 0xfe9e115c7b8f884b};

/* log2(1 + t / 128) = t * (c[0] - t * (c[1] - ...)), the Taylor series: c[k - 1] is
 * 2^64 / (ln 2 * k * 128^k). Ending it after an even term keeps the result from below, so that
 * it joins the next table entry without a step back. */
static const uint64_t log2_poly[6] = {0x02e2a8eca5705fc2, 0x0002e2a8eca5705f, 0x000003d8e13b8740,
                                      0x00000005c551d94a, 0x00000000093bb628, 0x00000000000f6384};

/* 2^(t / 128) - 1 = t * (c[0] + t * (c[1] + ...)): c[k - 1] is 2^64 * (ln 2 / 128)^k / k!. */
static const uint64_t exp2_poly[5] = {0x0162e42fefa39ef3, 0x0000f5fdeffc162c, 0x00000071ac235c12,
                                      0x00000000276556df, 0x00000000000aec3f};

/* The normal quantile as a function of L = -log2(tail). It is smooth and slow in L from the
 * median (L = 1) to the end of what 64 bits can say (L = 64), so one table serves body and
 * tail without square root or division. Each octave of L has eight segments; a row is the
 * polynomial through z at six Chebyshev-Lobatto points of its segment, in Q4.60, as
 * c[0] + t * (c[1] - t * (c[2] - t * (c[3] - t * (c[4] - t * c[5])))), 0 <= t < 1. The ends of
 * a segment are among the points, so z is continuous. */
static const uint64_t normal_poly[48][6] = {
    {0x0000000000000000, 0x01bcca5381c48247, 0x001344ce5dc1e025, 0x00016ddf77317a41,
     0x00001f5ea9f70218, 0x0000024e00a92d12},
    {0x01aad653f1e6475d, 0x019a185ee404c428, 0x000fa06357567c89, 0x000106e94834c000,
     0x000014178b8b7184, 0x000001586e65eafe},
    {0x03364279a9a3c876, 0x017da2af273fd74e, 0x000cf6c40a44bd5a, 0x0000c3b6c03d43ee,
     0x00000d7bd65cc4e1, 0x000000d4529ecfca},
    {0x04a7a574031e3141, 0x0165ce8117391605, 0x000af43d72321480, 0x000095e93823dff9,
     0x0000096609852cfc, 0x00000088d623b701},
    {0x06030cc3ace79cc3, 0x015184d5974b68fc, 0x0009658eabb409cf, 0x000075909f27847e,
     0x000006c28e702174, 0x0000005b830372df},
    {0x074b9b342c39d1db, 0x0140012942d629c2, 0x000829d99e2154c6, 0x00005e0a020b248b,
     0x000004fe05f88258, 0x0000003f24e7ec0a},
    {0x0883cbcef1e93513, 0x0130b4d78e64bb3b, 0x00072b38a5dc395f, 0x00004c7f50e6d063,
     0x000003c553c3a58b, 0x0000002cc0ad8b91},
    {0x09ad9e5498426d57, 0x012335ae950c05e8, 0x00065a9b5bc0b3c0, 0x00003f22d4a84fe7,
     0x000002e773311598, 0x0000002076402add},
    {0x0acab5c3a94524ac, 0x022e65c86087e3f0, 0x0016b557d4ee3b84, 0x0001a5ca45c35315,
     0x000023c007c5373a, 0x0000029c1c068c2f},
    {0x0ce3eada8ee37522, 0x02056a821c655d15, 0x001280686c796888, 0x0001304a6fde68f9,
     0x000016fa15262c2a, 0x000001873cbbc5e6},
    {0x0ed7efcbd6436c64, 0x01e3a64b704f9c6b, 0x000f6a2145e8c084, 0x0000e358556b059b,
     0x00000f782a833788, 0x000000f1dee79838},
    {0x10ad00c80a79ae96, 0x01c742ea044c5396, 0x000d1378a97f3fdd, 0x0000aebb7096ecd4,
     0x00000ad0a78e6da0, 0x0000009c4cb625e2},
    {0x1267d4c07b056765, 0x01aefff58d65b890, 0x000b42106e78567c, 0x000089779f7ff4b8,
     0x000007ccff326f91, 0x00000068cb1dc62c},
    {0x140c14b9055e14cd, 0x0199fb135346de2c, 0x0009d060479355ac, 0x00006e49e8ed1f00,
     0x000005c6b9ce1b32, 0x000000487b76f099},
    {0x159ca837bba791b5, 0x01878f7fddab4656, 0x0008a5567c70554f, 0x000059f85e814291,
     0x0000045fbfe44714, 0x000000337cf3da8e},
    {0x171be82d387358c8, 0x0177423e59de0061, 0x0007afa93f5f9fea, 0x00004a7495b2f6f8,
     0x00000360748d207b, 0x000000256dc32e50},
    {0x188bc1fbe1dabe0d, 0x02d16b044ec5d451, 0x001b8c48d544e5ef, 0x0001f2b22ad9b715,
     0x000029acf7e1809d, 0x00000304aeb26088},
    {0x1b436cc13d064370, 0x029f92ea8f41dc85, 0x0016901ad6220286, 0x0001697d620f42d9,
     0x00001ae651bb64c5, 0x000001c636362624},
    {0x1dcdbfee3cb021a7, 0x02764c71ac63dbe6, 0x0012e34f1e5b069b, 0x00010f436bd0d5b3,
     0x0000122e97b1d07e, 0x00000119cdc7cb1f},
    {0x2032273f6c9fc746, 0x02537063b1750279, 0x0010179cca69f0e6, 0x0000d154be32030b,
     0x00000cc21d2d85f6, 0x000000b6b6216558},
    {0x2276454faad0bb46, 0x023585b10c1bc838, 0x000de90977ee8127, 0x0000a54ea7c6a9cf,
     0x0000093beb1463b4, 0x0000007ae28adb7f},
    {0x249e7e84de3b23f1, 0x021b810094853809, 0x000c2bb8f04c0f30, 0x000085174314d4c8,
     0x000006dc167e7ae2, 0x000000553f214465},
    {0x26ae525cee2beb16, 0x02049f0e35928176, 0x000ac247aecb9a24, 0x00006cedfddfae38,
     0x00000535d78a3e9d, 0x0000003cb984c7eb},
    {0x28a8971854cd09ef, 0x01f04da0f75c83fd, 0x00099861ce6ac868, 0x00005a6ce4983204,
     0x00000408b7324c48, 0x0000002c42b466a2},
    {0x2a8fa2e7edd911e2, 0x03bc39bb1cf52ce5, 0x00227e384c372c43, 0x00025f7475e29db3,
     0x000031f0c0311451, 0x000003951cd0f973},
    {0x2e2b8f8391199559, 0x037da5cbf4e1894b, 0x001c67b77187a33d, 0x0001bab56df464e7,
     0x00002065c4f03896, 0x0000021d9ef235a0},
    {0x318e6a055c69dd57, 0x03498f7907ea14a3, 0x0017e4d70281219a, 0x00014dd653eb38ea,
     0x000015ffe9e6431b, 0x000001517987aeee},
    {0x34c14dcf455f751c, 0x031d5de4ef49539e, 0x001472279d97e92f, 0x000102c4d33ba1d7,
     0x00000f80c8a847c1, 0x000000dbad0f6d97},
    {0x37cb2dac4eb3a738, 0x02f7482af3ecc569, 0x0011be4aaab679bb, 0x0000cd2f62481af1,
     0x00000b43dc61d938, 0x000000944b11a7b3},
    {0x3ab17a0c68e1dc53, 0x02d608f97f355668, 0x000f9489ab861886, 0x0000a5d23f873934,
     0x000008663b25ccc7, 0x000000673ab9c96d},
    {0x3d788c4f7bac500f, 0x02b8b1c7ee37360d, 0x000dd17093b4dea3, 0x000088318ac1ea83,
     0x00000666d6430135, 0x00000049c634570c},
    {0x4023eebb50e1e7d2, 0x029e8f50cbb5c46d, 0x000c5c6394dad549, 0x0000716d1edf62bd,
     0x000004f8f385451e, 0x00000035eff03f3e},
    {0x42b68e52a30733d3, 0x050e2ff3884d5d0f, 0x002c8f398c14b3dd, 0x0002fc4fb5e2a3f6,
     0x00003dc44865fb67, 0x000004625f3f6588},
    {0x479af1fa6bfbeb1c, 0x04bd254742a5b457, 0x0024e119d318c916, 0x0002301ac505998e,
     0x0000284a634fb8eb, 0x0000029a52aa7efd},
    {0x4c3540928fe935fc, 0x04795f3c547f9823, 0x001f288735c00af2, 0x0001a86f7da13e62,
     0x00001b7ec4a1cdf3, 0x000001a1273c1de0},
    {0x509105d98ee4517d, 0x043fa1a61f143f5b, 0x001ac3e948eafb13, 0x00014a70c47a0bd0,
     0x000013767bda231c, 0x00000110b97df45f},
    {0x54b71ba1672b72d8, 0x040db09ef657e304, 0x00174eb892c34c14, 0x0001070dfd208186,
     0x00000e334ad4a3f1, 0x000000b8d73c058b},
    {0x58ae771b5447ece7, 0x03e1f3267332020c, 0x0014878b1554667c, 0x0000d55acc2f2d63,
     0x00000aa0b16bd681, 0x00000081257ae274},
    {0x5c7cadf1f263c1cd, 0x03bb3c2365555446, 0x00124234128e6127, 0x0000afcf8d718d4d,
     0x00000820ce918408, 0x0000005c9cd8bd86},
    {0x60264feca0e37bb7, 0x0398a8759506aaa7, 0x00105fec9019b57a, 0x000092dcfe3e0f08,
     0x000006556d7a4910, 0x00000043ed2feeed},
    {0x63af254123c425c7, 0x06f3125ff0393750, 0x003b2a92a2612466, 0x0003e069024bab72,
     0x00004ef0016ece97, 0x0000058ba065ce0f},
    {0x6a6aa41312dee39a, 0x06873e6bfec02813, 0x00312b9417e44608, 0x0002dae1a576ea98,
     0x000033c3b790d2d7, 0x0000034f3e85cec2},
    {0x70c361582626ac27, 0x062cb964041aa004, 0x0029b07543f605ca, 0x00022c3e7c19efee,
     0x0000237d8bf79371, 0x00000214e8ce8563},
    {0x76c8751cbf3c2841, 0x05df59a616eb1c56, 0x0023ebde5c31bd93, 0x0001b2b50ef0d080,
     0x0000193a0db65bfd, 0x0000015ddeb323f4},
    {0x7c857dbd59e31f7b, 0x059c3bf4f134f51d, 0x001f5d733f7d4538, 0x00015b3a5aa2c0f2,
     0x0000127971430f6b, 0x000000ee0748a2e1},
    {0x8203a5edfc4323c8, 0x05614d7d69a2f4cf, 0x001bb151fcdbcc9a, 0x00011a7a00a80ff5,
     0x00000ddf780f5997, 0x000000a6e21dec81},
    {0x874a4f5ad3c0eedc, 0x052d060bad72e8f3, 0x0018ae9cd5ebb8fa, 0x0000e96767f6e634,
     0x00000aa47c4a1022, 0x000000780d7d0134},
    {0x8c5f8604a471f61b, 0x04fe3cce5671d0f2, 0x00162d918e6250e8, 0x0000c374af97c517,
     0x00000850ebf126d5, 0x000000584edde931}};

static inline unsigned leading_zeros(uint64_t x)
{
    return (unsigned)__builtin_clzll(x);
}

uint64_t sim_log2_q56(uint64_t x)
{
    assert(x > 0);
    const unsigned zeros = leading_zeros(x);
    const uint64_t fraction = x << zeros << 1; /* Of the mantissa in [1, 2), in Q0.64. */
    const unsigned i = (unsigned)(fraction >> 57);
    /* x = 2^n * (1 + i / 128) * (1 + t / 128). */
    const uint64_t t = sim_mulhi64(fraction << 7, log2_inverse[i]);
    uint64_t p = log2_poly[5];
    for (int k = 4; k >= 0; k--) {
        p = log2_poly[k] - sim_mulhi64(t, p);
    }
    return (uint64_t)(63 - zeros) << 56 | (log2_start[i] + sim_mulhi64(t, p)) >> 8;
}

uint64_t sim_exp2_q56(uint64_t x, unsigned fraction_bits)
{
    assert(fraction_bits <= 63);
    const unsigned exponent = (unsigned)(x >> 56) + fraction_bits;
    if (exponent > 63) {
        return UINT64_MAX;
    }
    const unsigned i = (unsigned)(x >> 49) & 127;
    const uint64_t t = x << 15; /* The 49 bits after i, in Q0.64. */
    uint64_t p = exp2_poly[4];
    for (int k = 3; k >= 0; k--) {
        p = exp2_poly[k] + sim_mulhi64(t, p);
    }
    const uint64_t mantissa = exp2_start[i] + sim_mulhi64(exp2_start[i], sim_mulhi64(t, p));
    return mantissa >> (63 - exponent);
}

uint64_t sim_normal_q60(uint64_t tail)
{
    assert(tail > 0);
    assert(tail < UINT64_C(1) << 63);
    /* The log2 of less than 2^63 is below 63.0, so that 1.0 <= L < 64.0 with the one taken
     * off here: both ends stay inside the table. */
    const uint64_t l = (UINT64_C(64) << 56) - 1 - sim_log2_q56(tail);
    const unsigned zeros = leading_zeros(l);
    const uint64_t fraction = l << zeros << 1;
    const uint64_t *c = normal_poly[(7 - zeros) * 8 + (unsigned)(fraction >> 61)];
    const uint64_t t = fraction << 3;
    uint64_t p = c[5];
    for (int k = 4; k >= 1; k--) {
        p = c[k] - sim_mulhi64(t, p);
    }
    return c[0] + sim_mulhi64(t, p);
}

uint64_t sim_mul_shift(uint64_t a, uint64_t b, unsigned shift)
{
    assert(shift >= 1);
    assert(shift <= 127);
    const uint64_t high = sim_mulhi64(a, b);
    const uint64_t low = a * b;
    if (shift > 64) {
        return (high >> (shift - 64)) + (high >> (shift - 65) & 1);
    }
    if (shift == 64) {
        return sim_add_sat(high, low >> 63);
    }
    if (high >> shift) {
        return UINT64_MAX;
    }
    return sim_add_sat(high << (64 - shift) | low >> shift, low >> (shift - 1) & 1);
}
