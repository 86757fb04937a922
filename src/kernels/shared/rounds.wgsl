// More rounds than any loop has.
//
// Dawn bounds a loop that it does not see end, by two numbers that it counts down: 8 instructions a round on AMD's GPUs. What it
// sees is an index that grows by one up to a constant. So a hot loop of GPUs whose end is known only when it runs goes up
// to this, and leaves by a break:
//
//   for (var round = 0u; round < MOST_ROUNDS; round++) {
//     if (round >= rounds) {
//       break;
//     }
const MOST_ROUNDS = 0x7fffffffu;
