package setup

import (
	"konbit/internal/books/org"
	"konbit/internal/giving/receipt"
)

// newPrefix is an entity whose next receipts begin with a prefix that they did not begin with before.
type newPrefix struct {
	org.LegalEntity
	at position
}

// findPrefix notes the prefix of an entity that is new, or whose prefix changes, for checkPrefixes. was is the entity as it
// is stored; the zero value if it is new.
func (p *plan) findPrefix(declared Entity, was, is org.LegalEntity) {
	if was.Slug == "" || was.NumberPrefix() != is.NumberPrefix() {
		p.newPrefixes = append(p.newPrefixes, newPrefix{is, declared.in.positionOfKey("receipt_prefix")})
	}
}

// prefixes returns the prefixes that are new to their entities.
func (p *plan) prefixes() (all []string) {
	for _, e := range p.newPrefixes {
		all = append(all, e.NumberPrefix())
	}
	return all
}

// checkPrefixes reports a problem for each prefix that another entity has now, or has issued receipts with: two receipts
// could have the same number. The file itself is compared when it is read (addPrefix).
func (p *plan) checkPrefixes(issued []receipt.IssuedPrefix) {
	for _, e := range p.newPrefixes {
		for _, other := range p.entities {
			switch {
			case other.ID == e.ID:
			case other.NumberPrefix() == e.NumberPrefix() && !p.declared[other.ID]:
				p.report.addProblem(e.at, "entity %s: receipts of entity %s, which is not in the file, begin with %s: write another receipt_prefix",
					e.Slug, other.Slug, e.NumberPrefix())
			case hasIssued(issued, other, e.NumberPrefix()):
				p.report.addProblem(e.at, "entity %s: entity %s has issued receipts that begin with %s, and two could have the same number: "+
					"write a receipt_prefix that no other entity has used", e.Slug, other.Slug, e.NumberPrefix())
			}
		}
	}
}

func hasIssued(issued []receipt.IssuedPrefix, e org.LegalEntity, prefix string) bool {
	for _, i := range issued {
		if i.EntityID == e.ID && i.Prefix == prefix {
			return true
		}
	}
	return false
}
