using ActorTrainer.Cluster.Tests.Members;
using Xunit.Abstractions;

// They wait for processes half of the time.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
[assembly: TestCollectionOrderer("ActorTrainer.Cluster.Tests.Support.LongestFirst", "ActorTrainer.Cluster.Tests")]

namespace ActorTrainer.Cluster.Tests.Support;

/// <summary>Those collections begin first that take longest: begun last, they would run alone for most of their time.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        nameof(PostgreSqlClusterConformanceTests),
        nameof(SqliteClusterConformanceTests),
        PostgreSqlServer.Collection,
        nameof(ClusterFaultTests),
    ];

    /// <inheritdoc />
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(c =>
            Array.FindIndex(Longest, name => c.DisplayName.EndsWith(name, StringComparison.Ordinal)) is >= 0 and int place
                ? place
                : Longest.Length
        );
}
