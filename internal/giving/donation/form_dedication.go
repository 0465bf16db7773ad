package donation

import (
	"regexp"

	"konbit/internal/giving/dedication"
)

// maxCardMessage is the maximum length of a card's message, in characters.
const maxCardMessage = 500

// dedication returns the checked dedication; nil if there is none. A card is sent in our name to a person who did not
// ask for it, so its texts, and the donor's name, must not contain links.
func (c *checker) dedication(in dedication.Dedication, giver Contact) *dedication.Dedication {
	in = in.Cleaned()
	wantsCard := in.CardName != "" || in.CardEmail != "" || in.CardMessage != ""
	switch {
	case in.Kind == dedication.Honour || in.Kind == dedication.Memory:
	case (in.Kind == "" || in.Kind == "none") && in.Name == "" && !wantsCard:
		return nil
	default:
		c.addError("dedication", "give.error.dedication.choice", nil)
	}
	out := &dedication.Dedication{Kind: in.Kind, Name: c.line("dedication_name", in.Name, 100, "give.error.dedication_name.required")}
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

// linkPattern matches what a mail program may show as a link: a scheme, an address, or a name with a dot inside.
var linkPattern = regexp.MustCompile(`(?i)://|@|\bwww\.|[\p{L}\p{N}]\.\p{L}{2,}`)
