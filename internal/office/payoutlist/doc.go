// Package payoutlist reads what a payout pays out, down to the funds, and compares payouts with the processor's own report.
//
//	payout ── its transactions (Lines) ── what each left in every fund (PartsOf)
//	   │
//	   ├── Kinds   the transactions by what they are: their sum, and what it does not explain of the payout
//	   └── Funds   the transactions by fund, beside what the books moved from 1010 to 1015
//
//	report (ReadReport) ── Compare ── Difference: in the report and not here, here and not in the report, another amount …
//
// It owns no table: it reads the views of migration 00171, in which the policies of the office apply. Package processor/payout
// owns payouts and lists them; package processor/settlement books them, and decides how a payout is divided.
package payoutlist
