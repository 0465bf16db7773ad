package chaos

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/stripefake"
)

// balanceTransaction is a balance transaction of Stripe.
type balanceTransaction struct {
	ID, Type, Source, Currency string
	Category                   string `json:"reporting_category"`
	Amount, Fee, Net           int64
}

// charge is a payment attempt.
type charge struct {
	ID, Currency  string
	PaymentIntent string `json:"payment_intent"`
	Amount        int64
	Paid          bool
	Metadata      map[string]string
}

// facts is what happened in one account of the stand-in, read incrementally.
type facts struct {
	t       testing.TB
	fake    *stripefake.Server
	account string
	read    map[string]int // number of objects read so far, by kind

	transactions []balanceTransaction
	byID         map[string]balanceTransaction
	charges      map[string]charge
	byIntent     map[string]string   // charge by payment intent
	chargeOf     map[string]string   // charge by refund or dispute
	members      map[string][]string // balance transactions by the payout that pays them out
}

func newFacts(t testing.TB, fake *stripefake.Server, account string) *facts {
	return &facts{t: t, fake: fake, account: account, read: map[string]int{}, byID: map[string]balanceTransaction{}, charges: map[string]charge{},
		byIntent: map[string]string{}, chargeOf: map[string]string{}, members: map[string][]string{}}
}

// fresh returns the objects of a kind that were created since the last call.
func fresh[T any](f *facts, kind string) []T {
	raw := f.fake.Objects(f.account, kind, f.read[kind])
	f.read[kind] += len(raw)
	all := make([]T, len(raw))
	for i := range raw {
		require.NoError(f.t, json.Unmarshal(raw[i], &all[i]))
	}
	return all
}

// catchUp reads what happened since the last call.
func (f *facts) catchUp() {
	for _, m := range fresh[balanceTransaction](f, "balance_transaction") {
		f.transactions = append(f.transactions, m)
		f.byID[m.ID] = m
	}
	for _, c := range fresh[charge](f, "charge") {
		f.charges[c.ID] = c
		if c.Paid {
			f.byIntent[c.PaymentIntent] = c.ID
		}
	}
	for _, kind := range []string{"refund", "dispute"} {
		for _, o := range fresh[struct{ ID, Charge string }](f, kind) {
			f.chargeOf[o.ID] = o.Charge
		}
	}
	for _, p := range fresh[struct {
		ID      string
		Members []string
	}](f, "payout.private") {
		f.members[p.ID[len("private_"):]] = p.Members
	}
}

// balance returns Stripe's balance in a currency, available or not, in minor units.
func (f *facts) balance(currency string) (sum int64) {
	for _, m := range f.transactions {
		if m.Currency == currency {
			sum += m.Net
		}
	}
	return sum
}

// disputesToAnswer returns the disputes and inquiries that ask for evidence now.
func (f *facts) disputesToAnswer() (ids []string) {
	for _, raw := range f.fake.Objects(f.account, "dispute", 0) {
		var d struct{ ID, Status string }
		require.NoError(f.t, json.Unmarshal(raw, &d))
		if d.Status == "needs_response" || d.Status == "warning_needs_response" {
			ids = append(ids, d.ID)
		}
	}
	return ids
}
