package donation

import (
	"regexp"

	"konbit/internal/platform/clean"
	"konbit/internal/platform/email"
)

// Dedication says in whose honour or memory a donation is given, and who gets a card about it. As typed, Kind may also
// be empty or "none".
type Dedication struct {
	Kind        DedicationKind `db:"kind" json:"kind"`                 // dedication
	Name        string         `db:"name" json:"name"`                 // dedication_name
	CardName    string         `db:"card_name" json:"card_name"`       // card_name; empty: no card
	CardEmail   string         `db:"card_email" json:"card_email"`     // card_email
	CardMessage string         `db:"card_message" json:"card_message"` // card_message: plain text, may be empty
}

// DedicationKind is how a donation is dedicated. Its values stand in donation_dedication.kind.
type DedicationKind string

// The kinds of dedication.
const (
	Honour DedicationKind = "honour"
	Memory DedicationKind = "memory"
)

// maxCardMessage is the maximum length of a card's message, in characters.
const maxCardMessage = 500

// HasCard reports whether a card is sent.
func (d Dedication) HasCard() bool { return d.CardEmail != "" }

// dedication returns the checked dedication; nil if there is none. A card is sent in our name to a person who did not
// ask for it, so its texts, and the donor's name, must not contain links.
func (c *checker) dedication(in Dedication, giver Contact) *Dedication {
	in = in.cleaned()
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
	for _, entered := range []struct{ field, text string }{
		{"first_name", giver.FirstName}, {"last_name", giver.LastName}, {"dedication_name", out.Name},
		{"card_name", out.CardName}, {"card_message", out.CardMessage},
	} {
		if linkPattern.MatchString(entered.text) {
			c.addError(entered.field, "give.error.link", nil)
		}
	}
	return out
}

func (d Dedication) cleaned() Dedication {
	return Dedication{
		Kind: DedicationKind(clean.Code(string(d.Kind))), Name: clean.Line(d.Name), CardName: clean.Line(d.CardName),
		CardEmail: email.Clean(d.CardEmail), CardMessage: clean.Text(d.CardMessage),
	}
}

// linkPattern matches what a mail program may show as a link: a scheme, an address, or a name with a dot inside.
var linkPattern = regexp.MustCompile(`(?i)://|@|\bwww\.|[\p{L}\p{N}]\.\p{L}{2,}`)
