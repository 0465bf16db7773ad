package setup

import (
	"maps"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// organisation reads the i-th organisation; its amounts are in the currency of its entity.
func (r *report) organisation(node ast.Node, i int, entities []Entity) Organisation {
	what := label("organisation ", i, node)
	s := r.section(node, what, "slug", "entity", "name", "sponsored", "languages", "amounts", "frequencies", "accent", "funds")
	o := Organisation{in: s, Entity: s.text("entity", nil, "")}
	o.Slug = s.text("slug", org.ValidSlug, slugRule(org.MaxSlug))
	o.Position = i
	o.Languages = choices(s, "languages", r.rules.Languages)
	o.Name = s.words("name", o.Languages)
	o.Frequencies = choices(s, "frequencies", org.Frequencies())
	o.Accent = s.accent()
	var entity Entity
	nameless := func(e Entity) bool { return e.Slug == "" } // its slug was refused, and may be the one that was meant
	if at := slices.IndexFunc(entities, func(e Entity) bool { return e.Slug == o.Entity }); at >= 0 {
		entity = entities[at]
	} else if o.Entity != "" && !slices.ContainsFunc(entities, nameless) {
		s.addProblem(s.positionOfKey("entity"), "%s belongs to entity %q, which the file does not declare: declare it under entities:", what, o.Entity)
	}
	o.Sponsored = !slices.Contains(slices.Collect(maps.Values(o.Name)), entity.LegalName)
	if s.has("sponsored") {
		o.Sponsored = s.flag("sponsored")
	}
	o.amounts(s.subsection("amounts", "presets", "minimum", "maximum"), entity.Currency)
	funds := slugs{kind: "fund"}
	for j, node := range s.list("funds") {
		f := r.fund(node, j, o)
		if funds.add(f.in, f.Slug) {
			o.Funds = append(o.Funds, f)
		}
	}
	return o
}

// accent reads the optional colour.
func (s section) accent() string {
	if !s.has("accent") {
		return org.DefaultAccent
	}
	hex := s.text("accent", org.ValidAccent, `write "#rrggbb" in lower case and in quotes, such as "`+org.DefaultAccent+`"`)
	if hex != "" && s.rules.Accent != nil {
		if err := s.rules.Accent(hex); err != nil {
			s.addProblem(s.positionOfKey("accent"), "%s: %v", s.what, err)
		}
	}
	return hex
}

// amounts reads the amounts of the form, in major units of c.
func (o *Organisation) amounts(s section, c money.Currency) {
	o.Minimum, o.Maximum = s.amount("minimum", c), s.amount("maximum", c)
	bounded := o.Minimum > 0 && o.Maximum > 0
	if bounded && o.Maximum < o.Minimum {
		s.addProblem(s.positionOfKey("maximum"), "%s: maximum is less than minimum: swap them", s.what)
		bounded = false
	}
	if o.Maximum > org.MaxGift {
		s.addProblem(s.positionOfKey("maximum"), "%s: maximum is more than one payment can carry: write at most %s",
			s.what, money.New(org.MaxGift, c).Decimal())
	}
	for _, v := range s.list("presets") {
		p := s.minorUnits(v, "presets", c)
		switch last := len(o.Presets) - 1; {
		case p == 0:
			continue
		case bounded && (p < o.Minimum || p > o.Maximum):
			s.addProblem(positionOf(v), "%s: preset %s lies outside minimum and maximum: change one of them", s.what, v.GetToken().Value)
		case last >= 0 && p <= o.Presets[last]:
			s.addProblem(positionOf(v), "%s: preset %s does not follow a smaller one: write presets in rising order, each once",
				s.what, v.GetToken().Value)
		}
		o.Presets = append(o.Presets, p)
	}
}

func (r *report) fund(node ast.Node, i int, o Organisation) Fund {
	s := r.section(node, label("fund "+o.Slug+"/", i, node), "slug", "name", "restriction", "purpose", "closed")
	f := Fund{in: s, Closed: s.flag("closed"), Fund: fund.Fund{
		Slug:        s.text("slug", fund.ValidSlug, slugRule(fund.MaxSlug)),
		Name:        s.words("name", o.Languages),
		Restriction: choice(s, "restriction", fund.Unrestricted, fund.ByPurpose, fund.ByTime),
		Purpose:     phrase.Text{},
		Position:    i,
	}}
	if s.has("purpose") || f.Restriction == fund.ByPurpose {
		f.Purpose = s.words("purpose", o.Languages)
	}
	return f
}

// words reads a text that must have at least the offered languages.
func (s section) words(key string, offered []phrase.Language) phrase.Text {
	known := make([]string, 0, len(phrase.Known()))
	for _, l := range phrase.Known() {
		known = append(known, string(l))
	}
	in := s.subsection(key, known...)
	text := phrase.Text{}
	for _, l := range phrase.Known() {
		switch {
		case in.has(string(l)):
			text[l] = in.text(string(l), nil, "")
		case slices.Contains(offered, l) && !in.broken:
			s.addProblem(in.at, "%s is offered in %s but its %s has no `%s`: add %s: …", s.what, l.Name(), key, l, l)
		}
	}
	return text
}
