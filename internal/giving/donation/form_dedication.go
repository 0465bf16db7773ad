package donation

import (
	"regexp"
	"strings"
)

// Dedication says in whose honour or memory a gift is given, and who gets a card about it. As typed, its
// Kind may also be empty or "none".
type Dedication struct {
	Kind        DedicationKind `db:"kind" json:"kind"`                 // dedication
	Name        string         `db:"name" json:"name"`                 // dedication_name
	CardName    string         `db:"card_name" json:"card_name"`       // card_name; empty: no card
	CardEmail   string         `db:"card_email" json:"card_email"`     // card_email
	CardMessage string         `db:"card_message" json:"card_message"` // card_message: plain text, may be empty
}

// DedicationKind is how a gift is dedicated.
type DedicationKind string

// The kinds of dedication.
const (
	Honour DedicationKind = "honour"
	Memory DedicationKind = "memory"
)

// maxCardMessage is how much may be written on a card, in characters.
const maxCardMessage = 500

// Card tells whether somebody is to get a card.
func (d Dedication) HasCard() bool { return d.CardEmail != "" }

// dedication checks a dedication; nil when there is none. A card goes to somebody who never asked us for
// one, in our name: what stands on it, the giver's name too, must not lead anywhere.
func (c *checker) dedication(in Dedication, giver Contact) *Dedication {
	in = in.trimmed()
	wantsCard := in.CardName != "" || in.CardEmail != "" || in.CardMessage != ""
	switch {
	case in.Kind == Honour || in.Kind == Memory:
	case (in.Kind == "" || in.Kind == "none") && in.Name == "" && !wantsCard:
		return nil
	default:
		c.addError("dedication", "give.error.dedication.choice", nil)
	}
	out := &Dedication{Kind: in.Kind, Name: c.line("dedication_name", in.Name, 100, "give.error.dedication_name.required")}
	if !wantsCard {
		return out
	}
	out.CardName = c.line("card_name", in.CardName, 100, "give.error.card_name.required")
	out.CardEmail = c.email("card_email", in.CardEmail, "give.error.card_email.required")
	out.CardMessage = c.text("card_message", in.CardMessage, maxCardMessage)
	for _, said := range []struct{ field, text string }{
		{"first_name", giver.FirstName}, {"last_name", giver.LastName}, {"dedication_name", out.Name},
		{"card_name", out.CardName}, {"card_message", out.CardMessage},
	} {
		if linkPattern.MatchString(said.text) {
			c.addError(said.field, "give.error.link", nil)
		}
	}
	return out
}

func (d Dedication) trimmed() Dedication {
	return Dedication{
		Kind: DedicationKind(strings.TrimSpace(string(d.Kind))), Name: strings.TrimSpace(d.Name), CardName: strings.TrimSpace(d.CardName),
		CardEmail: strings.TrimSpace(d.CardEmail), CardMessage: strings.TrimSpace(d.CardMessage),
	}
}

// link is whatever a mail program might make a link of: a scheme, an address, or a name with a dot inside.
var linkPattern = regexp.MustCompile(`(?i)://|@|\bwww\.|[\p{L}\p{N}]\.\p{L}{2,}`)
