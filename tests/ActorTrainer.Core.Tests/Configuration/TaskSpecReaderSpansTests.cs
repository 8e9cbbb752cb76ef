using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Hocon;

namespace ActorTrainer.Core.Tests.Configuration;

public sealed class TaskSpecReaderSpansTests
{
    [Theory]
    [InlineData("20 saves or 1 d", 20, 24.0)]
    [InlineData("12 h or 1 save", 1, 12.0)]
    [InlineData("5 saves", 5, 0.0)]
    [InlineData("90 m", 0, 1.5)]
    [InlineData("off", 0, 0.0)]
    [InlineData("0", 0, 0.0)]
    public void Read_FullEvery_IsANumberOrATimeOrBoth(string text, int saves, double hours)
    {
        CheckpointSpec read = Read($"task {{ name = a, command = x, checkpoint.full-every = {text} }}").Checkpoint;
        (read.FullEverySaves, read.FullEvery).ShouldBe((saves, TimeSpan.FromHours(hours)));
        (new CheckpointSpec().FullEverySaves, new CheckpointSpec().FullEvery).ShouldBe((null, null));
    }

    [Theory]
    [InlineData("often", "write a number of saves, a time, or both: 20 saves or 1 d; off: never.")]
    [InlineData("20", "write a number of saves, a time, or both: 20 saves or 1 d; off: never.")]
    [InlineData("5 saves or 6 saves", "write a number of saves, a time, or both: 20 saves or 1 d; off: never.")]
    [InlineData("0 saves", "it must be from 1 to 1000000 saves.")]
    [InlineData("1 ms", "the time must be from 1 s to 365 d.")]
    public void Read_FullEveryThatIsNone_SaysWhatToWrite(string text, string message) =>
        Should
            .Throw<ConfigException>(() => Read($"task {{ name = a, command = x, checkpoint.full-every = {text} }}"))
            .Message.ShouldEndWith($"task.checkpoint.full-every is '{text}': {message}");

    private static TaskSpec Read(string text) => TaskSpecReader.Read(HoconReader.ReadText(text, "t.conf"), ConfigPaths.Resolver("/work"));
}
