using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Tests.Sharding;

public sealed class ShardMapTests
{
    /// <summary>Frozen: a task whose shard changes with a version would get a second owner while nodes are updated one by one.</summary>
    [Theory]
    [InlineData("a", 1024, 603)]
    [InlineData("digits-a-k3f9z", 1024, 696)]
    [InlineData("digits-a-k3f9z", 64, 56)]
    [InlineData("digits-a-k3f9z", 1, 0)]
    [InlineData("0", 1024, 812)]
    [InlineData("train-on-everything-2-00000", 1024, 705)]
    [InlineData("train-on-everything-2-00001", 1024, 479)]
    [InlineData("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", 1000, 549)]
    public void ShardOf_FrozenVectors_NeverChange(string task, int shards, int expected) =>
        ShardMap.ShardOf(TaskId.Parse(task), shards).ShouldBe(expected);

    [Theory]
    [InlineData(64)]
    [InlineData(1000)]
    [InlineData(1024)]
    public void ShardOf_ManyIds_SpreadsEvenly(int shards)
    {
        int[] counts = new int[shards];
        int ids = shards * 100;
        for (int i = 0; i < ids; i++)
        {
            counts[ShardMap.ShardOf(TaskId.Parse($"task-{i}"), shards)]++;
        }

        // Chi-square over its degrees of freedom is 1 for a fair spread, with a deviation of sqrt(2 / shards).
        double chi = counts.Sum(c => (c - 100.0) * (c - 100.0) / 100.0) / (shards - 1);
        chi.ShouldBeInRange(1 - (5 * Math.Sqrt(2.0 / shards)), 1 + (5 * Math.Sqrt(2.0 / shards)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public void ShardOf_NoShards_IsAnError(int shards) =>
        Should.Throw<ArgumentOutOfRangeException>(() => ShardMap.ShardOf(TaskId.Parse("a"), shards));
}
