package bank

import (
	"strconv"
	"strings"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// basisPoints reads a percentage with at most two decimals, such as 33.33 or 33,33%.
func basisPoints(text string) (points int64, ok bool) {
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "%"))
	whole, decimals, _ := strings.Cut(strings.ReplaceAll(text, ",", "."), ".")
	if len(decimals) > 2 || len(whole) > 3 {
		return 0, false
	}
	points, err := strconv.ParseInt(whole+decimals+strings.Repeat("0", 2-len(decimals)), 10, 64)
	return points, err == nil && points > 0 && points <= 10_000
}
