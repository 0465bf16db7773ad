package receipt

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

var reference = regexp.MustCompile(`^([a-z0-9-]+)-(\d{4})-(\d{1,9})$`)

const byNumber = `r.year = $2 AND r.number = $3 AND lower(coalesce(r.facts->>'receipt_prefix', r.facts->>'entity_slug')) = $1`

// ByNumber returns the receipt with that number, as people write it. It reports fault.NotFound if there is none.
func ByNumber(ctx context.Context, q sqlx.QueryerContext, number string) (Receipt, error) {
	const query = `/* receipt.ByNumber */ ` + selected + `WHERE ` + byNumber
	return numbered(ctx, q, query, number)
}

// ByNumberOf is ByNumber for a receipt of one legal entity. It reads an index.
func ByNumberOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, number string) (Receipt, error) {
	const query = `/* receipt.ByNumberOf */ ` + selected + `WHERE r.entity_id = $4 AND ` + byNumber
	return numbered(ctx, q, query, number, entity)
}

func numbered(ctx context.Context, q sqlx.QueryerContext, query, number string, more ...any) (Receipt, error) {
	var missing error = fault.New(fault.NotFound, "problem.404.text", nil)
	parts := reference.FindStringSubmatch(strings.ToLower(strings.TrimSpace(number)))
	if parts == nil {
		return Receipt{}, missing
	}
	year, _ := strconv.Atoi(parts[2]) // at most nine digits, as the pattern requires
	n, _ := strconv.Atoi(parts[3])
	found, err := list(ctx, q, query, append([]any{parts[1], year, n}, more...)...)
	if err == nil && len(found) == 0 {
		err = missing
	}
	if err != nil {
		return Receipt{}, err
	}
	return found[0], nil
}

// Find returns receipts that contain every word of text in their number, names or address, and the receipts with the ids,
// newest first and at most limit. Case, accents and the order of the words do not matter. It reads every receipt, so it is
// only for a person's search.
func Find(ctx context.Context, q sqlx.QueryerContext, text string, ids []uuid.UUID, limit int) ([]Receipt, error) {
	const query = `/* receipt.Find */ ` + selected + `
		WHERE r.id = ANY($2::uuid[]) OR $1 <> '' AND NOT EXISTS (
		      SELECT 1 FROM regexp_split_to_table(regexp_replace(lower(normalize($1, NFD)), '[\u0300-\u036f]', '', 'g'), '\s+') word
		       WHERE strpos(regexp_replace(lower(normalize(concat_ws(' ',
		             format('%s-%s-%s', coalesce(r.facts->>'receipt_prefix', r.facts->>'entity_slug'), r.year, lpad(r.number::text, 6, '0')),
		             r.facts->>'first_name', r.facts->>'last_name', r.facts->>'donor_organisation', r.facts->>'email'), NFD)),
		             '[\u0300-\u036f]', '', 'g'), word) = 0)
		ORDER BY r.issued_at DESC, r.number DESC LIMIT $3`
	return list(ctx, q, query, strings.TrimSpace(text), pg.UUIDs(ids), limit)
}
