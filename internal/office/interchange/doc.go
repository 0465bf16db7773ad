// Package interchange reads and writes the formats of other programs. It decides nothing and owns no table.
//
// ExportJournal writes the books for two plain-text accounting programs, so that each can check every balance
// independently of Konbit: hledger (https://hledger.org/hledger.html#journal) and beancount
// (https://beancount.github.io/docs/beancount_language_syntax.html).
//
//	ledger.Snapshot ──▶ names, chart, balances ──▶ declarations
//	                └─▶ entries, one at a time  ──▶ transactions
//	                                           └──▶ an assertion of every balance
//
// PostgreSQL computes the asserted balances; the accounting program adds up the transactions. Both formats get the same
// account names, {Assets|Liabilities|Equity|Income|Expenses}:{Entity}:{Fund}:{code}-{Name}. They never contain a
// person's name, because the books contain none.
package interchange
