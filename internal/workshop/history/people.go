package history

import (
	"fmt"
	"strings"

	"konbit/internal/giving/contact"
)

// person is an invented donor.
type person struct {
	first, last string
	language    string
	home        contact.Details
}

// email returns the person's address, in a domain that nobody can have (RFC 2606).
func (p person) email() string {
	plain := strings.NewReplacer("á", "a", "ã", "a", "ç", "c", "é", "e", "è", "e", "í", "i", "ñ", "n", "ó", "o", "ú", "u", "'", "")
	return plain.Replace(strings.ToLower(p.first)) + "." + plain.Replace(strings.ToLower(p.last)) + "@donor.example"
}

func (p person) name() string { return p.first + " " + p.last }

// names are the first and last names of the donors by language.
var names = map[string][2][]string{
	"en": {
		{"Grace", "Daniel", "Ruth", "Malik", "Hannah", "Samuel", "Priya", "Owen", "Leila", "Thomas", "Naomi", "Victor"},
		{"Thompson", "Kim", "Abernathy", "Johnson", "O'Leary", "Patel", "Whitfield", "Nguyen"},
	},
	"es": {
		{"Ana", "Luis", "Carmen", "Javier", "Rosa", "Mateo", "Lucía", "Andrés", "Elena", "Tomás"},
		{"Morales", "Castillo", "Núñez", "Ortega", "Figueroa", "Peña", "Zamora"},
	},
	"pt": {
		{"João", "Beatriz", "Rafael", "Conceição", "Paulo", "Helena"},
		{"Carvalho", "Teixeira", "Araújo", "Monteiro", "Queiroz"},
	},
	"ht": {
		{"Mirlande", "Jean-Robert", "Fabiola", "Wilner", "Nadège", "Évens"},
		{"Pierre", "Desrosiers", "Toussaint", "Baptiste", "Joseph"},
	},
}

var homes = []contact.Details{
	{AddressLine1: "14 Maple Terrace", City: "Somerville", Region: "MA", PostalCode: "02143", Country: "US", Phone: "+1 617 555 0114"},
	{AddressLine1: "220 Harbor Street", AddressLine2: "Apt 3B", City: "Chelsea", Region: "MA", PostalCode: "02150", Country: "US"},
	{AddressLine1: "9 Orchard Lane", City: "Providence", Region: "RI", PostalCode: "02906", Country: "US"},
	{AddressLine1: "71 Sycamore Avenue", City: "Worcester", Region: "MA", PostalCode: "01608", Country: "US", Phone: "+1 508 555 0171"},
}

// crowd gives donors out: each name of a language once, then the same again.
type crowd struct{ given map[string]int }

func (c *crowd) next(language string) person {
	list, n := names[language], c.given[language]
	c.given[language]++
	firsts, lasts := list[0], list[1]
	n %= len(firsts) * len(lasts)
	p := person{first: firsts[n%len(firsts)], last: lasts[(n/len(firsts)+n)%len(lasts)], language: language}
	if n%3 == 0 {
		p.home = homes[(n/3)%len(homes)]
	}
	return p
}

// String returns the person as a log shows it.
func (p person) String() string { return fmt.Sprintf("%s <%s>", p.name(), p.email()) }
