using ActorTrainer.Bench.Common;
using ActorTrainer.Bench.Failover;
using ActorTrainer.Bench.Scale;
using ActorTrainer.Bench.Soak;

namespace ActorTrainer.Bench.Tests;

public sealed class OptionTests
{
    [Fact]
    public void Failover_WithoutOptions_IsEveryModeOnSqlite()
    {
        FailoverOptions options = FailoverOptions.Parse([]);

        options.Databases.ShouldBe(["sqlite"]);
        options.Modes.ShouldBe(["crash", "silent", "drain", "drain-large"]);
        options.Kills.ShouldBe(50);
    }

    [Fact]
    public void Failover_Lists_AreTakenInTheirOrderAndOnce()
    {
        FailoverOptions options = FailoverOptions.Parse(Words("--database postgresql,sqlite,sqlite --modes drain --kills 3"));

        options.Databases.ShouldBe(["postgresql", "sqlite"]);
        options.Modes.ShouldBe(["drain"]);
        options.Kills.ShouldBe(3);
    }

    [Theory]
    [InlineData("--kill 3", "'--kill' is no option")]
    [InlineData("--kills", "'--kills' is no option, or has no value")]
    [InlineData("--kills 0", "--kills takes a whole number from 1 on, not '0'")]
    [InlineData("--kills 3.5", "--kills takes a whole number from 1 on, not '3.5'")]
    [InlineData("--modes crash,slow", "--modes takes crash, silent, drain, drain-large or several")]
    [InlineData("--database oracle", "--database takes sqlite, postgresql or several")]
    public void Failover_WrongArguments_SayWhatIsRight(string arguments, string expected) =>
        Should.Throw<OptionException>(() => FailoverOptions.Parse(Words(arguments))).Message.ShouldStartWith(expected);

    [Theory]
    [InlineData("", 10_000, 200)]
    [InlineData("--tasks 300", 300, 6)]
    [InlineData("--tasks 50000", 50_000, 200)]
    public void Scale_Tasks_DecideHowManyRun(string arguments, int tasks, int running)
    {
        ScaleOptions options = ScaleOptions.Parse(Words(arguments));

        options.Tasks.ShouldBe(tasks);
        options.Running.ShouldBe(running);
    }

    [Fact]
    public void Soak_Seed_IsTheOneGivenOrTheOneOffered()
    {
        SoakOptions.Parse([], 4711).ShouldBe(new SoakOptions("sqlite", 15, 4711));
        SoakOptions.Parse(Words("--seed 5 --minutes 1 --database postgresql"), 4711).ShouldBe(new SoakOptions("postgresql", 1, 5));
        Should
            .Throw<OptionException>(() => SoakOptions.Parse(Words("--database sqlite,postgresql"), 1))
            .Message.ShouldStartWith("--database takes sqlite or postgresql");
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
