// Package interchange speaks other people's formats, in and out. It decides nothing and owns no table.
//
// ExportJournal writes the books for two plain-text accounting programs not written here, so that they
// can agree or disagree with every balance: hledger (https://hledger.org/hledger.html#journal) and
// beancount (https://beancount.github.io/docs/beancount_language_syntax.html).
//
//	ledger.Snapshot ──▶ names, chart, balances ──▶ declarations
//	                └─▶ entries, one at a time  ──▶ transactions
//	                                           └──▶ an assertion of every balance
//
// The balances asserted are added up by PostgreSQL, the transactions by the judge. Both formats get the same account
// names, {Assets|Liabilities|Equity|Income|Expenses}:{Entity}:{Fund}:{code}-{Name}, and no personal name ever: the
// books hold none.
package interchange
