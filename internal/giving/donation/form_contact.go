package donation

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/clean"
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
		LastName:  c.line("last_name", in.LastName, 100, ""),
		Email:     c.email("email", in.Email, "give.error.email.required"),
		Details: contact.Details{
			Phone:        c.phone(in.Phone),
			AddressLine1: c.line("address_line1", withoutComma(in.AddressLine1), 200, ""),
			AddressLine2: c.line("address_line2", withoutComma(in.AddressLine2), 200, ""),
			City:         c.line("city", withoutComma(in.City), 100, ""),
			Region:       c.line("region", withoutComma(in.Region), 100, ""),
			PostalCode:   c.line("postal_code", withoutComma(clean.Code(in.PostalCode)), 20, ""),
			Country:      c.line("country", clean.Code(in.Country), 60, ""),
		},
	}
	out.Note = c.text("note", in.Note, 1000)
	return out
}

// withoutComma returns a part of a postal address without the commas that people write after it: an address is printed
// with commas between its parts.
func withoutComma(part string) string { return strings.TrimRight(clean.Line(part), ", ") }

// CheckDetails checks what donors enter about themselves by the rules of the form, without the email address, which
// they prove in another way, and without the note. It reports all bad fields at once.
func CheckDetails(in contact.Contact) (contact.Contact, error) {
	c := &checker{}
	in.Email = "donor@example.org"
	out := c.contact(Contact{Contact: in}).Contact
	out.Email = ""
	return out, fault.Fields(c.fields)
}

// text cleans and checks a text of several lines: at most limit runes, and no control characters except line feeds and
// tabs.
func (c *checker) text(field, text string, limit int) string {
	text = clean.Text(text)
	control := func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }
	switch {
	case utf8.RuneCountInString(text) > limit:
		c.addError(field, "give.error.too_long", fault.Args{"max": limit})
	case !utf8.ValidString(text) || strings.ContainsFunc(text, control):
		c.addError(field, "give.error.characters", nil)
	}
	return text
}

// line cleans and checks one line of text: at most limit runes, and no control characters. If missing names a phrase,
// the line must not be empty.
func (c *checker) line(field, text string, limit int, missing string) string {
	text = clean.Line(text)
	switch {
	case text == "" && missing != "":
		c.addError(field, missing, nil)
	case utf8.RuneCountInString(text) > limit:
		c.addError(field, "give.error.too_long", fault.Args{"max": limit})
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		c.addError(field, "give.error.characters", nil)
	}
	return text
}

// email cleans and checks an address. It asks once about one whose domain is a letter away from a common one.
func (c *checker) email(field, text, missing string) string {
	text = email.Clean(text)
	suggestion := email.Suggest(text)
	switch {
	case text == "":
		c.addError(field, missing, nil)
	case !email.IsValid(text):
		c.addError(field, "give.error.email.format", nil)
	case suggestion != "" && !slices.Contains(c.asked, text):
		c.addError(field, "give.error.email.typo", fault.Args{"typed": text, "suggestion": suggestion})
	}
	return text
}

// phone cleans and checks a telephone number, with or without an extension. A "tel:" before it is dropped (RFC 3966).
func (c *checker) phone(text string) string {
	text = clean.Code(text)
	if len(text) > 4 && strings.EqualFold(text[:4], "tel:") {
		text = strings.TrimSpace(text[4:])
	}
	if text != "" && !phonePattern.MatchString(text) {
		c.addError("phone", "give.error.phone.format", nil)
	}
	return text
}

// phonePattern is a number of 6 to 20 digits as people write it, and an extension.
var phonePattern = regexp.MustCompile(`(?i)^\+?(?:[-(). /]{0,3}[0-9]){6,20}[-(). /]{0,3}` +
	`(?:[,;]? ?(?:x|#|(?:ext|extension|extensión|int|interno|anexo|ramal|ekstansyon|poste)[.:]?) ?[0-9]{1,8})?$`)
