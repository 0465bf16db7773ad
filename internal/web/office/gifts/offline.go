package gifts

import (
	"slices"
	"strconv"
	"time"

	"konbit/internal/office/giftlist"
	"konbit/internal/office/offline"
	"konbit/internal/platform/money"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// paperFacts returns what the paper of a gift without a payment processor says.
func (a *Area) paperFacts(v web.StaffVisit, o offline.Paper) (all []Fact) {
	add := func(key string, cell desk.Cell) { all = append(all, Fact{a.say(v, "fact."+key), cell}) }
	add("method", desk.Cell{Text: a.View.Phrase(v.Language, "office.batch.method."+string(o.Method)), Soft: o.Number})
	if o.GivenBy != offline.Person {
		add("given_by", desk.Cell{Text: a.View.Phrase(v.Language, "office.batch.given_by."+string(o.GivenBy))})
	}
	if o.ReceivedOn != nil {
		add("received", desk.Cell{Day: o.ReceivedOn.In(time.UTC)})
	}
	if o.PostmarkOn != nil {
		add("postmark", desk.Cell{Day: o.PostmarkOn.In(time.UTC)})
	}
	if o.ReturnMinor > 0 {
		add("paid", desk.AmountCell(money.New(o.PaidMinor, o.Currency)))
		in := desk.AmountCell(money.New(o.ReturnMinor, o.Currency))
		in.Soft = o.InReturn
		add("in_return", in)
	}
	for _, said := range [][2]string{{"described", o.Described}, {"counted_by", o.CountedBy}, {"note", o.Note}} {
		if said[1] != "" && (said[0] != "note" || o.Note != o.Described) {
			add(said[0], desk.Cell{Text: said[1]})
		}
	}
	if o.Batch > 0 && v.Organisation == nil {
		n := strconv.Itoa(o.Batch)
		add("batch", desk.Cell{Text: a.View.Phrase(v.Language, "office.batch.title", "n", n), URL: v.Path("batches/" + n)})
	}
	return all
}

// paperSteps returns the way of a gift without a payment processor: received, in the books, receipt, on the bank's statement.
func paperSteps(o offline.Paper, history []giftlist.Event) (keys []string, done map[string]bool) {
	keys, done = []string{"received", "booked"}, map[string]bool{"received": true}
	if o.GivenBy == offline.Person || o.GivenBy == offline.Organisation {
		keys = append(keys, "receipt")
	}
	if o.Method == offline.Check || o.Method == offline.Cash || o.Method == offline.Transfer {
		keys = append(keys, "at_bank")
	}
	done["at_bank"] = slices.ContainsFunc(history, func(e giftlist.Event) bool { return e.What == "bank" })
	return keys, done
}

// outcome returns what became of a gift that went back whole, as a key after office.gifts.state.; empty: the gift's own state says it.
func outcome(history []giftlist.Event) (state string) {
	for _, e := range history {
		if e.What == "change" {
			state = map[string]string{"void": "void", "check returned": "check_returned"}[e.Name]
		}
	}
	return state
}
