using Xunit.Sdk;
using Xunit.v3;

namespace ActorTrainer.EndToEnd.Tests.Support;

/// <summary>
/// The class with the longest test begins first: begun last, it would run alone for most of its time. xunit begins with the last of
/// the list.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    /// <inheritdoc />
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(c => c.TestCollectionDisplayName.Contains(nameof(RestartTests), StringComparison.Ordinal))];
}
