package donation

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
)

// Contact is who gives, as typed.
type Contact struct {
	contact.Contact
	Note string `db:"note" json:"note"`
}

func (c *checker) contact(in Contact) Contact {
	var out Contact
	out.Contact = contact.Contact{
		FirstName: c.line("first_name", in.FirstName, 100, "give.error.first_name.required"),
		LastName:  c.line("last_name", in.LastName, 100, "give.error.last_name.required"),
		Email:     c.email("email", in.Email, "give.error.email.required"),
		Details: contact.Details{
			Phone:        c.phone(in.Phone),
			AddressLine1: c.line("address_line1", in.AddressLine1, 200, ""),
			AddressLine2: c.line("address_line2", in.AddressLine2, 200, ""),
			City:         c.line("city", in.City, 100, ""),
			Region:       c.line("region", in.Region, 100, ""),
			PostalCode:   c.line("postal_code", in.PostalCode, 20, ""),
			Country:      c.line("country", in.Country, 60, ""),
		},
	}
	out.Note = c.text("note", in.Note, 1000)
	return out
}

// CheckDetails checks what donors enter about themselves by the rules of the form, without the email address, which
// they prove in another way, and without the note. It reports all bad fields at once.
func CheckDetails(in contact.Contact) (contact.Contact, error) {
	c := &checker{}
	in.Email = "donor@example.org"
	out := c.contact(Contact{Contact: in}).Contact
	out.Email = ""
	return out, fault.Fields(c.fields)
}

// text checks a text of several lines: at most limit runes, and no control characters except line feeds and tabs.
func (c *checker) text(field, text string, limit int) string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	control := func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }
	switch {
	case utf8.RuneCountInString(text) > limit:
		c.addError(field, "give.error.too_long", fault.Args{"max": limit})
	case !utf8.ValidString(text) || strings.ContainsFunc(text, control):
		c.addError(field, "give.error.characters", nil)
	}
	return text
}

// line checks one line of text: at most limit runes, and no invisible characters. If missing names a phrase, the line
// must not be empty.
func (c *checker) line(field, text string, limit int, missing string) string {
	text = strings.TrimSpace(text)
	switch {
	case text == "" && missing != "":
		c.addError(field, missing, nil)
	case utf8.RuneCountInString(text) > limit:
		c.addError(field, "give.error.too_long", fault.Args{"max": limit})
	case !utf8.ValidString(text) || strings.ContainsFunc(text, isInvisible):
		c.addError(field, "give.error.characters", nil)
	}
	return text
}

// isInvisible reports whether a rune is not shown but changes what is shown around it: control characters, and those
// that change the direction of writing, by which a name could read differently on a receipt.
func isInvisible(r rune) bool {
	return unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

func (c *checker) email(field, text, missing string) string {
	text = email.Clean(text)
	switch {
	case text == "":
		c.addError(field, missing, nil)
	case !email.IsValid(text):
		c.addError(field, "give.error.email.format", nil)
	}
	return text
}

func (c *checker) phone(text string) string {
	text = strings.TrimSpace(text)
	count := 0
	for _, r := range text {
		if r >= '0' && r <= '9' {
			count++
		}
	}
	if text != "" && (count < 6 || count > 20 || len(text) > 40 || strings.Trim(text, "0123456789+-(). /x#") != "") {
		c.addError("phone", "give.error.phone.format", nil)
	}
	return text
}
