using ActorTrainer.Cluster.Systems;
using Akka.Cluster.Sharding;
using Akka.Event;
using HostLogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace ActorTrainer.Cluster.Tests.Systems;

public sealed class AkkaLogTests
{
    [Theory]
    [InlineData("tasks: Requested shard homes [7] from coordinator at [there]. [1] total buffered messages.", HostLogLevel.Debug)]
    [InlineData("tasks: Trying to register to coordinator at [there], but no acknowledgement.", HostLogLevel.Debug)]
    [InlineData("tasks: Buffer is full, dropping message for shard [7]", HostLogLevel.Warning)]
    public void LevelOf_AWarningOfARegion_IsOneUnlessItOnlyWaits(string message, HostLogLevel level) =>
        AkkaLog.LevelOf(new Warning("region", typeof(ShardRegion), message)).ShouldBe(level);

    [Fact]
    public void LevelOf_AWarningOfAnother_IsAWarning() =>
        AkkaLog.LevelOf(new Warning("other", typeof(AkkaLogTests), "Requested shard homes")).ShouldBe(HostLogLevel.Warning);
}
