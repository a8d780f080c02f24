"""Whether a canary is no worse than stable, and how sure that is.

Pure: intervals in, a verdict out. Each check has three outcomes. Fail: it is worse by more than the bound, surely.
Pass: it is not, surely. NotYet: more has to be seen. "Surely" means with the confidence that was asked for, *at all
looks together*: one may look every few seconds for hours. Under a canary that is within all bounds, the chance that any
check ever fails is at most 1 - confidence; the chance that a canary beyond a bound ever passes that check is at most 1
- confidence too. `evidence` says how.

| check | the effect that is compared | what `bound` is | default |
|---|---|---|---|
| `errors` | canary's share of failed requests, minus stable's | difference of shares: 0.01 is 1 point | 0.01 |
| `latency` | quantile (default p95) of the canary's latency, divided by stable's plus `slack` (2 ms) | ratio | 1.25 |
| `labels` | total variation distance of the labels' shares: the part that changed | distance, 0 to 1 | 0.15 |
| `confidence` | Kolmogorov-Smirnov distance: largest difference of shares above a value | distance, 0 to 1 | 0.15 |
| `summaries: length` | Kolmogorov-Smirnov distance of the numbers of points | distance, 0 to 1 | 0.2 |
| `summaries: empty` | share of empty summaries, minus stable's | difference of shares | 0.02 |
| `summaries: cut` | share of summaries cut short by their deadline, minus stable's | difference of shares | 0.05 |
| `summaries: quoted` | share of points that are quotations, minus stable's | difference of shares | 0.1 |
| `summaries: speed` | median tokens/s of stable, divided by the canary's | ratio; always the default | 1.25 |
| `summaries: first token` | median time to it of the canary, divided by stable's | ratio; always the default | 1.25 |
| `agreement` | share of shadowed requests that the canary answers differently | share | 0.05 |
| `custom` | the query's number: outside at three looks in a row fails, inside passes | not used: `min`, `max` | |

`bound` of a check `summaries` is that of length, empty, cut and quoted alike.

| module | what it holds |
|---|---|
| `judge` | the judge |
| `checks` | which comparison belongs to which type |
| `rates`, `ratios`, `mix`, `shape`, `custom` | the comparisons |
| `bracket`, `distance` | intervals of effects, and outcomes |
| `evidence` | bets against a claim about two rates: the mathematics |
| `tally`, `histogram`, `pool` | counts of both variants |
| `verdict`, `subject`, `words` | what is reported |

What it assumes: requests of one interval are independent of each other, and are given to a variant by chance. Failures
that come in bursts on one variant by bad luck (a node that dies) are evidence against it.
"""

from predictors.rollout.judge.judge import Judge
from predictors.rollout.judge.verdict import Finding, Outcome, Verdict

__all__ = ["Finding", "Judge", "Outcome", "Verdict"]
