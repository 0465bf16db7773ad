package setup

import (
	"slices"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
)

func (p *plan) fund(declared Fund, o org.Organisation) {
	f := declared.Fund
	f.EntityID, f.OrganisationID = o.EntityID, o.ID
	if declared.Closed {
		f.ClosedAt = &p.now
	}
	was, ok := p.storedFund(o.ID, f.Slug)
	if !ok {
		f.ID = p.newID()
		if f.Code, ok = fund.NewCode(o.Slug, f.Slug, p.isCodeTaken(f.EntityID)); !ok {
			p.report.addProblem(declared.in.positionOfKey("slug"),
				"fund %s/%s would be %q in the books, which names another fund of the entity: choose another slug",
				o.Slug, f.Slug, f.Code)
			return
		}
		p.addFund(f, o.Slug)
		return
	}
	if was.Restriction != f.Restriction {
		p.report.addProblem(declared.in.positionOfKey("restriction"),
			"fund %s/%s was opened with restriction: %s, which never changes: write that, or set closed: true and open a fund under a new slug",
			o.Slug, f.Slug, was.Restriction)
		return
	}
	f.ID = was.ID
	if declared.Closed && !was.Open() {
		f.ClosedAt = was.ClosedAt
	}
	d := &difference{subject: "fund " + o.Slug + "/" + f.Slug}
	words(d, "name", was.Name, f.Name)
	words(d, "purpose", was.Purpose, f.Purpose)
	d.field("position", was.Position, f.Position)
	switch {
	case was.Open() && !f.Open():
		d.setVerb("closed")
	case !was.Open() && f.Open():
		d.setVerb("reopened")
	}
	if len(d.changes) > 0 {
		f.Code = was.Code
		p.writeFunds = append(p.writeFunds, f)
	}
	p.result.Changes = append(p.result.Changes, d.changes...)
}

// leftOut is a stored fund that the file no longer lists in its organisation.
type leftOut struct {
	fund.Fund
	subject string
	at      position
}

func (p *plan) findLeftOut(declared Organisation, o org.Organisation) {
	for _, f := range p.funds {
		if f.OrganisationID == o.ID && !slices.ContainsFunc(declared.Funds, func(d Fund) bool { return d.Slug == f.Slug }) {
			p.leftOut = append(p.leftOut, leftOut{f, "fund " + o.Slug + "/" + f.Slug, declared.in.positionOfKey("funds")})
		}
	}
}

// closeLeftOut closes the funds that are no longer listed. For a fund in used (it has gifts or journal entries) it adds
// a problem instead.
func (p *plan) closeLeftOut(used map[uuid.UUID]bool) {
	for _, f := range p.leftOut {
		switch {
		case used[f.ID]:
			p.report.addProblem(f.at, "%s is left out and would lose its history: put it back and set closed: true", f.subject)
		case f.Open():
			f.ClosedAt = &p.now
			p.writeFunds = append(p.writeFunds, f.Fund)
			p.result.Changes = append(p.result.Changes, Change{Subject: f.subject, Verb: "closed"})
		}
	}
}

// addFund adds a new fund of an organisation, or the operations fund of an entity, to the plan.
func (p *plan) addFund(f fund.Fund, owner string) {
	p.writeFunds = append(p.writeFunds, f)
	d := difference{subject: "fund " + owner + "/" + f.Slug}
	d.setVerb("created, in the books as " + f.Code)
	if !f.Open() {
		d.setVerb("closed")
	}
	p.result.Changes = append(p.result.Changes, d.changes...)
}

func (p *plan) storedFund(organisation uuid.UUID, slug string) (fund.Fund, bool) {
	i := slices.IndexFunc(p.funds, func(f fund.Fund) bool { return f.OrganisationID == organisation && f.Slug == slug })
	if i < 0 {
		return fund.Fund{}, false
	}
	return p.funds[i], true
}

// isCodeTaken returns a function that reports whether a fund of the entity, stored or planned, has a code.
func (p *plan) isCodeTaken(entity uuid.UUID) func(string) bool {
	return func(code string) bool {
		has := func(f fund.Fund) bool { return f.EntityID == entity && f.Code == code }
		return slices.ContainsFunc(p.funds, has) || slices.ContainsFunc(p.writeFunds, has)
	}
}
