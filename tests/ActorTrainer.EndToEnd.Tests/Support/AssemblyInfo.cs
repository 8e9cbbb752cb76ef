using ActorTrainer.EndToEnd.Tests.Support;

// Each test starts several processes and measures nothing but what becomes of them; more than two at a time would only slow each other
// down.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
[assembly: TestCollectionOrderer(typeof(LongestFirst))]
[assembly: Trait("Lane", "Slow")]
