package difference

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestModelsInMemory: of too many models, those used last stay in memory.
func TestModelsInMemory(t *testing.T) {
	ms := NewModels(nil)
	model := NewModel([]byte("a model"))
	byKey := func(n int) *StoredModel {
		return ms.find(func() *StoredModel { return ms.byKey[fmt.Sprint(n)] })
	}
	for n := range 3 * maxModels {
		ms.keep(fmt.Sprint(n), &StoredModel{Model: model, ID: n})
		require.NotNil(t, byKey(0), "it is used after each of the others")
		require.LessOrEqual(t, len(ms.byID), maxModels)
		require.Equal(t, len(ms.byID), len(ms.byKey))
	}
	require.Nil(t, byKey(1))
	require.NotNil(t, byKey(3*maxModels-1))

	twice := &StoredModel{Model: model, ID: 0}
	ms.keep("0", twice)
	require.NotSame(t, twice, byKey(0), "the one in memory stays")
}
