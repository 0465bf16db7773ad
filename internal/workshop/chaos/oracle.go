package chaos

import (
	"fmt"
	"maps"
	"slices"
)

// policy is what an entity decides (program.yaml; repeated here, so that the oracle does not read it through the
// packages it checks).
type policy struct {
	sponsor    int64 // basis points
	ofNet      bool  // of the amount after the processing fee
	byFund     bool  // the funds pay the processing fee
	restricted map[string]bool
}

var policies = map[string]policy{
	"tsne": {sponsor: 700, byFund: true, restricted: map[string]bool{"general": true, "building": true}},
	"aina": {sponsor: 500, ofNet: true, restricted: map[string]bool{"land": true}},
}

const operations = "operations"

// Sources and kinds of entries in the journal.
const (
	ofIntent  = "stripe payment intent"
	ofMove    = "stripe balance transaction"
	ofDispute = "stripe dispute"
	payment   = "payment"
	fee       = "processing fee"
	sponsor   = "sponsor fee"
	movement  = "movement"
	extraFee  = "dispute fee"
	lost      = "lost"
)

// key identifies an entry.
type key struct{ entity, source, id, kind string }

// place is an account of a fund; lines are amounts by place, debit positive.
type (
	place struct{ entity, fund, account string }
	lines map[place]int64
)

func (l lines) move(entity, debit, credit, fund string, amount int64) {
	l.add(place{entity, fund, debit}, amount)
	l.add(place{entity, fund, credit}, -amount)
}

func (l lines) add(p place, amount int64) {
	if l[p] += amount; l[p] == 0 {
		delete(l, p)
	}
}

// A pledge is a gift as the donor submitted it.
type pledge struct {
	id, entity string
	amount     int64
	parts      []share // gift only, in the donor's order
	paidBy     string  // the charge that settled it
	over       bool    // settled, or needs review because a payment differs
}

// share is a fund's part of a charge.
type share struct {
	fund               string
	gift, fee, sponsor int64
}

func sum(shares []share) (total int64) {
	for _, s := range shares {
		total += s.gift
	}
	return total
}

// oracle computes from the ledger's rules and the stand-in's facts what each entry must be. From the books it
// reads only which facts were booked and in which order, because the amount a restricted fund can pay depends
// on the time.
type oracle struct {
	facts       map[string]*facts
	pledges     map[string]*pledge
	books       lines
	booked      map[key]bool
	shares      map[string][]share          // by charge: the gift's part (none: in suspense) and the fees by fund
	remaining   map[string][]share          // by charge that was a gift: the amount that each fund still has
	returned    map[string]share            // by "charge fund": fees that refunds returned so far
	feesChecked map[string]bool             // charges whose fees were compared with the funds' assets
	notReturned map[string]int64            // by charge that was a gift: the amount not refunded and not lost
	owed        map[string][]share          // by charge: what is owed to the donor since a refund failed
	withdrawn   map[string]takenBack        // by refund or dispute: the amounts withdrawn
	lost        map[string]bool             // disputes that were lost at the stand-in
	clearing    map[string]map[string]int64 // by balance transaction: change of 1010, by fund
	tasks       map[string]bool             // "entity kind subject"
	strays      map[string]bool             // payments in suspense, "entity subject"
}

func newOracle(all map[string]*facts) *oracle {
	return &oracle{facts: all, pledges: map[string]*pledge{}, books: lines{}, booked: map[key]bool{}, shares: map[string][]share{},
		remaining: map[string][]share{}, returned: map[string]share{}, feesChecked: map[string]bool{},
		notReturned: map[string]int64{}, owed: map[string][]share{}, withdrawn: map[string]takenBack{}, lost: map[string]bool{},
		clearing: map[string]map[string]int64{}, tasks: map[string]bool{}, strays: map[string]bool{}}
}

// book records that an entry was booked. It returns what is wrong with it, or "".
func (o *oracle) book(k key, have lines) string {
	want, clearing := o.entry(k)
	if len(want) == 0 {
		return fmt.Sprintf("%v: no balance transaction explains this entry %v", k, have)
	}
	if !maps.Equal(want, have) {
		return fmt.Sprintf("%v: the entry says %v, not %v", k, have, want)
	}
	if o.booked[k] {
		return fmt.Sprintf("%v: booked twice", k)
	}
	o.booked[k] = true
	for p, amount := range want {
		o.books.add(p, amount)
		if p.account == "1010" {
			if o.clearing[clearing] == nil {
				o.clearing[clearing] = map[string]int64{}
			}
			o.clearing[clearing][p.fund] += amount
		}
	}
	return ""
}

// entry computes one entry and the balance transaction it belongs to.
func (o *oracle) entry(k key) (lines, string) {
	f := o.facts[k.entity]
	switch {
	case k.source == ofIntent && k.kind == payment && f.charges[f.byIntent[k.id]].Currency == "usd":
		c := f.charges[f.byIntent[k.id]]
		return o.payment(f, c), f.transactionOf(c.ID).ID
	case k.source == ofDispute && k.kind == lost && o.lost[k.id]:
		return o.lose(k.entity, k.id), k.id
	case k.source != ofMove || f.byID[k.id].Currency != "usd":
		return nil, ""
	}
	m := f.byID[k.id]
	switch k.kind {
	case fee, sponsor:
		return o.fees(k.entity, k.kind, m), m.ID
	case movement:
		return o.transactionEntry(k.entity, m), m.ID
	case extraFee:
		l := lines{}
		l.move(k.entity, "5110", "1010", operations, m.Fee)
		return l, m.ID
	}
	return nil, ""
}

// missing lists the entries that must be in the books and are not.
func (o *oracle) missing() (missing []key) {
	for entity, f := range o.facts {
		for _, m := range f.transactions {
			for _, k := range o.due(entity, f, m) {
				if !o.booked[k] {
					missing = append(missing, k)
				}
			}
		}
		for id := range o.lost {
			if k := (key{entity, ofDispute, id, lost}); f.chargeOf[id] != "" && o.withdrawn[id].total() > 0 && !o.booked[k] {
				missing = append(missing, k)
			}
		}
	}
	return missing
}

// due lists the entries of a balance transaction.
func (o *oracle) due(entity string, f *facts, m balanceTransaction) []key {
	if m.Currency != "usd" {
		return nil
	}
	of := func(kind string) key { return key{entity, ofMove, m.ID, kind} }
	switch {
	case m.Type == "charge":
		due := []key{{entity, ofIntent, f.charges[m.Source].PaymentIntent, payment}, of(fee)}
		if slices.ContainsFunc(o.shares[m.Source], func(s share) bool { return s.sponsor != 0 }) {
			due = append(due, of(sponsor))
		}
		return due
	case m.Type == "adjustment" && m.Source != "" && m.Fee != 0:
		return []key{of(movement), of(extraFee)}
	default:
		return []key{of(movement)}
	}
}

// transactionOf returns the balance transaction of a charge.
func (f *facts) transactionOf(charge string) balanceTransaction {
	i := slices.IndexFunc(f.transactions, func(m balanceTransaction) bool { return m.Source == charge && m.Type == "charge" })
	if i < 0 {
		return balanceTransaction{}
	}
	return f.transactions[i]
}
