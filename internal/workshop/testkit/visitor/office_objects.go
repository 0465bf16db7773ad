package visitor

import (
	"regexp"
	"strings"

	"konbit/internal/workshop/testkit/program"
)

// OfficeObjects has, for each kind of object that addresses of the office name, the query that returns the name of the one in
// a place: $1 is the entity's slug, $2 the organisation's, "" for what belongs to the whole entity. It returns no row if the
// place has none. The key is the word before the parameter: gifts for /office/{entity}/gifts/{ref}. A route with another one
// fails TestT10IsolationOfAllRoutes: add its object here, and what makes one in the tests that use it.
var OfficeObjects = map[string]string{
	"gifts": `SELECT g.public_ref FROM donation g JOIN organisation o ON o.id = g.organisation_id JOIN legal_entity e ON e.id = g.entity_id
		WHERE e.slug = $1 AND o.slug = $2 AND g.charged_at IS NOT NULL ORDER BY g.source = 'office', g.created_at, g.id`,
	// Of plans and receipts the first is one of the first donor.
	"donors": `SELECT g.donor_id FROM donation g JOIN organisation o ON o.id = g.organisation_id JOIN legal_entity e ON e.id = g.entity_id
		WHERE e.slug = $1 AND o.slug = $2 AND g.charged_at IS NOT NULL GROUP BY g.donor_id ORDER BY bool_and(g.source = 'office'), min(g.created_at), g.donor_id`,
	"plans": `SELECT p.id FROM plan p JOIN organisation o ON o.id = p.organisation_id JOIN legal_entity e ON e.id = o.entity_id JOIN donation g ON g.donor_id = p.donor_id
		WHERE e.slug = $1 AND o.slug = $2 AND p.begun_at IS NOT NULL GROUP BY p.id ORDER BY min(g.created_at), p.donor_id, p.id`,
	"receipts": `SELECT r.id FROM receipt r JOIN donation g ON g.id = r.donation_id JOIN organisation o ON o.id = g.organisation_id JOIN legal_entity e ON e.id = g.entity_id
		WHERE e.slug = $1 AND o.slug = $2 ORDER BY g.created_at, r.id`,
	"disputes": `SELECT d.ref FROM dispute_row d JOIN organisation o ON o.id = d.organisation_id JOIN legal_entity e ON e.id = d.entity_id
		WHERE e.slug = $1 AND o.slug = $2 ORDER BY d.opened_at, d.ref`,
	"payouts":  `SELECT p.payout_ref FROM payout p JOIN legal_entity e ON e.id = p.entity_id WHERE e.slug = $1 AND $2 = '' ORDER BY p.created_at, p.payout_ref`,
	"bank":     `SELECT a.slug FROM bank_account a JOIN legal_entity e ON e.id = a.entity_id WHERE e.slug = $1 AND $2 = '' ORDER BY a.slug LIMIT 1`,
	"deposits": `SELECT d.n FROM deposit d JOIN legal_entity e ON e.id = d.entity_id WHERE e.slug = $1 AND $2 = '' AND d.removed_at IS NULL ORDER BY d.n LIMIT 1`,
	"imports":  `SELECT i.n FROM gift_import i JOIN legal_entity e ON e.id = i.entity_id WHERE e.slug = $1 AND $2 = '' ORDER BY i.n LIMIT 1`,
	"suspense": `SELECT s.subject FROM suspense_row s JOIN legal_entity e ON e.id = s.entity_id WHERE e.slug = $1 AND $2 = '' AND s.amount <> 0 ORDER BY s.serial`,
	"batches": `SELECT b.n FROM gift_batch b JOIN legal_entity e ON e.id = b.entity_id LEFT JOIN organisation o ON o.id = b.organisation_id
		WHERE e.slug = $1 AND coalesce(o.slug, '') = $2 AND b.removed_at IS NULL ORDER BY b.n LIMIT 1`,
	"approvals": `SELECT r.id FROM approval_request r JOIN legal_entity e ON e.id = r.entity_id LEFT JOIN organisation o ON o.id = r.organisation_id
		WHERE e.slug = $1 AND coalesce(o.slug, '') = $2 ORDER BY r.requested_at, r.id`,
	"tasks": `SELECT k.id FROM finance_task k JOIN legal_entity e ON e.id = k.entity_id WHERE e.slug = $1 AND $2 = '' ORDER BY k.opened_at, k.id LIMIT 1`,
}

// OfficeMonth is the month in addresses that name one.
const OfficeMonth = "2026-10"

// OfficeParameter finds the objects that an address of the office names, behind /office/{entity}: the word before each, and
// its parameter.
var OfficeParameter = regexp.MustCompile(`/(\w+)/\{(\w+)\}`)

// OfficePath returns an address of a route of the office with an object of an entity or of one of its organisations; "" if
// there is none. The address has no parameter that OfficeObjects does not know.
func OfficePath(h *program.Program, pattern, entity string, organisations ...string) string {
	rest := strings.TrimPrefix(pattern, "/office/{entity}")
	missing := false
	rest = OfficeParameter.ReplaceAllStringFunc(rest, func(found string) string {
		kind := OfficeParameter.FindStringSubmatch(found)[1]
		for _, organisation := range append(organisations, "") {
			if OfficeObjects[kind] == "" {
				break
			}
			if names := h.Lines(OfficeObjects[kind], entity, organisation); len(names) > 0 {
				return "/" + kind + "/" + names[0]
			}
		}
		missing = true
		return ""
	})
	if missing {
		return ""
	}
	return "/office/" + entity + strings.Replace(rest, "{month}", OfficeMonth, 1)
}
