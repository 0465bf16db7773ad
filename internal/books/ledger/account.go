package ledger

// Account is a code of the chart of accounts. The table account holds the same chart with names and kinds; a test
// compares the two.
type Account string

// The chart. Revenue and expense follow FASB ASU 2016-14: net assets without and with donor
// restrictions; expenses are always without.
const (
	StripeClearing         Account = "1010"
	PayoutsInTransit       Account = "1015"
	DisputedFundsWithheld  Account = "1020"
	UndepositedChecks      Account = "1050"
	Suspense               Account = "1090" // either sign; only in an operations fund
	MoneyOfOthers          Account = "1095" // at Stripe, from payments of other programs; only in an operations fund
	Bank                   Account = "1100"
	PledgesReceivable      Account = "1200" // written and unconditional
	Securities             Account = "1300"
	GrantsPayable          Account = "2100"
	RefundableAdvances     Account = "2150" // conditional gifts
	DueToAllianceMembers   Account = "2200" // agency
	RefundsPayable         Account = "2300"
	OpeningWithout         Account = "3000"
	OpeningWith            Account = "3010"
	TransfersBetweenFunds  Account = "3900"
	ContributionsWithout   Account = "4000"
	ContributionsWith      Account = "4100"
	InKindWithout          Account = "4200" // contributions in kind
	InKindWith             Account = "4210"
	OtherIncome            Account = "4300" // interest, and benefits given in return
	RefundsWithout         Account = "4800"
	RefundsWith            Account = "4805"
	ChargebacksWithout     Account = "4810"
	ChargebacksWith        Account = "4815"
	ReleasedWith           Account = "4900" // released from restriction, on the side "with"
	ReleasedWithout        Account = "4910" // the same, on the side "without"
	ProcessingFees         Account = "5100"
	DisputeFees            Account = "5110"
	BankFees               Account = "5200"
	InKindUsed             Account = "5300"
	GrantsDomestic         Account = "6100" // Form 990 Schedule I
	GrantsForeign          Account = "6200" // Form 990 Schedule F
	ProgramSpending        Account = "6500"
	ManagementSpending     Account = "6600"
	FundraisingSpending    Account = "6700"
	GrantRecoveries        Account = "6900"
	ForeignExchange        Account = "7100"
	SecuritiesGain         Account = "7200" // gain or loss
	Encumbrances           Account = "9100" // memo
	ReserveForEncumbrances Account = "9200" // memo
)

// memo reports whether the account is a memorandum account. Those balance among themselves and are no part of assets,
// liabilities or net assets.
func (a Account) memo() bool { return a >= "9000" }

// Contributions returns the revenue account of gifts to a fund, by the fund's class.
func Contributions(restricted bool) Account {
	if restricted {
		return ContributionsWith
	}
	return ContributionsWithout
}

// InKindContributions returns the revenue account of gifts in kind to a fund, by the fund's class.
func InKindContributions(restricted bool) Account {
	if restricted {
		return InKindWith
	}
	return InKindWithout
}
