// Package contact owns how a donor can be named and reached: the type, the list of its form fields and the list of
// its columns.
//
// The donation form, the donor's own pages, imports, copies of a person's data and erasures use these lists, so a new
// field is added in one place for all of them:
//
//  1. a migration adds the column to donation_contact, and to begin_gift (a new function, called by checkout/store.go: the
//     previous release calls the one before); for a field of Details also to donor, to the function
//     erase_people and to grants.sql; then go test ./migrations -run TestSchemaFile -update writes schema.sql,
//  2. this file: the field of the struct, and its place in Columns, Params (for Details also DetailColumns, DetailParams
//     and EmptyDetails), Args and fields,
//  3. donation/form_contact.go: the rule that checks it,
//  4. web/give/form_builder.go: where the form shows it (view/form.go too, if the portal shows it); its label give.NAME
//     is in templates/give, or in templates/layout if both show it,
//  5. web/portal/testdata/columns.txt: whether a copy of a person's data contains it.
//
// Each renewal of a plan copies the contact of the first donation, with what the donor entered on their own pages since
// (donation.RenewalContact). An answer that belongs to one donation only is a
// field of donation.Request, as its note is.
//
// The package holds no table: package donation owns donation_contact, package donor owns donor.
package contact

// Contact is a person or an organisation as a form names it. Every field may be empty; each form decides what it
// requires.
type Contact struct {
	FirstName        string `db:"first_name" json:"first_name"`
	LastName         string `db:"last_name" json:"last_name"`
	OrganisationName string `db:"organisation_name" json:"organisation_name,omitempty"` // for a donor that is an organisation; no form has it
	Email            string `db:"email" json:"email"`
	Details
}

// Details are further ways to reach a donor.
type Details struct {
	Phone        string `db:"phone" json:"phone"`
	AddressLine1 string `db:"address_line1" json:"address_line1"`
	AddressLine2 string `db:"address_line2" json:"address_line2"`
	City         string `db:"city" json:"city"`
	Region       string `db:"region" json:"region"`
	PostalCode   string `db:"postal_code" json:"postal_code"`
	Country      string `db:"country" json:"country"` // ISO 3166-1 code
}

// The columns of Contact and Details, in the order of Args.
const (
	Columns       = `first_name, last_name, organisation_name, email, ` + DetailColumns
	DetailColumns = `phone, address_line1, address_line2, city, region, postal_code, country`
)

// Params are the parameters of Columns in a statement that has two parameters before them; DetailParams those of
// DetailColumns in one that has five. EmptyDetails are the values of DetailColumns after an erasure.
const (
	Params       = `$3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13`
	DetailParams = `$6, $7, $8, $9, $10, $11, $12`
	EmptyDetails = `'', '', '', '', '', '', ''`
)

// Args returns the values of Columns.
func (c Contact) Args() []any {
	return append([]any{c.FirstName, c.LastName, c.OrganisationName, c.Email}, c.Details.Args()...)
}

// Args returns the values of DetailColumns.
func (d Details) Args() []any {
	return []any{d.Phone, d.AddressLine1, d.AddressLine2, d.City, d.Region, d.PostalCode, d.Country}
}

// With returns a contact with details that its person entered later. A telephone number that was left empty stays, and so
// does a postal address of which every part was left empty; else the address is taken as a whole.
func (c Contact) With(d Details) Contact {
	phone := c.Phone
	if d.Phone != "" {
		phone = d.Phone
	}
	if d != (Details{Phone: d.Phone}) {
		c.Details = d
	}
	c.Phone = phone
	return c
}

// fields are the form's fields: the name in the form, and where its value goes.
var fields = []struct {
	name  string
	value func(*Contact) *string
}{
	{"first_name", func(c *Contact) *string { return &c.FirstName }},
	{"last_name", func(c *Contact) *string { return &c.LastName }},
	{"email", func(c *Contact) *string { return &c.Email }},
	{"phone", func(c *Contact) *string { return &c.Phone }},
	{"address_line1", func(c *Contact) *string { return &c.AddressLine1 }},
	{"address_line2", func(c *Contact) *string { return &c.AddressLine2 }},
	{"city", func(c *Contact) *string { return &c.City }},
	{"region", func(c *Contact) *string { return &c.Region }},
	{"postal_code", func(c *Contact) *string { return &c.PostalCode }},
	{"country", func(c *Contact) *string { return &c.Country }},
}

// FieldNames returns the names of the form's fields, in their order on the page.
func FieldNames() []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// FromForm returns the contact that was typed. value returns what a field of the form holds.
func FromForm(value func(name string) string) (c Contact) {
	for _, f := range fields {
		*f.value(&c) = value(f.name)
	}
	return c
}
