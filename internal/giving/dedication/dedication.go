// Package dedication owns in whose honour or memory donations are given, and the cards about it (table
// donation_dedication). Package donation checks what a donor typed, and deletes a dedication with the contact.
package dedication

import (
	"konbit/internal/platform/clean"
	"konbit/internal/platform/email"
)

// Dedication says in whose honour or memory a donation is given, and who gets a card about it. As typed, Kind may also
// be empty or "none".
type Dedication struct {
	Kind        Kind   `db:"kind" json:"kind"`                 // dedication
	Name        string `db:"name" json:"name"`                 // dedication_name
	CardName    string `db:"card_name" json:"card_name"`       // card_name; empty: no card
	CardEmail   string `db:"card_email" json:"card_email"`     // card_email
	CardMessage string `db:"card_message" json:"card_message"` // card_message: plain text, may be empty
}

// Kind is how a donation is dedicated. Its values stand in donation_dedication.kind.
type Kind string

// The kinds of dedication.
const (
	Honour Kind = "honour"
	Memory Kind = "memory"
)

// HasCard reports whether a card is sent.
func (d Dedication) HasCard() bool { return d.CardEmail != "" }

// Cleaned returns the dedication without characters that nobody sees.
func (d Dedication) Cleaned() Dedication {
	return Dedication{
		Kind: Kind(clean.Code(string(d.Kind))), Name: clean.Line(d.Name), CardName: clean.Line(d.CardName),
		CardEmail: email.Clean(d.CardEmail), CardMessage: clean.Text(d.CardMessage),
	}
}
