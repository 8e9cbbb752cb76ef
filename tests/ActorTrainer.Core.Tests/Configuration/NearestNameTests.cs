using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Core.Tests.Configuration;

public sealed class NearestNameTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("abc", "", 3)]
    [InlineData("abc", "abc", 0)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("ab", "ba", 1)]
    [InlineData("adress", "address", 1)]
    [InlineData("ca", "abc", 3)]
    public void Distance_Texts_IsTheNumberOfEdits(string a, string b, int distance)
    {
        NearestName.Distance(a, b).ShouldBe(distance);
        NearestName.Distance(b, a).ShouldBe(distance);
    }

    [Theory]
    [InlineData("heartbeat", "heartbeat-interval", null)]
    [InlineData("hartbeat-interval", "heartbeat-interval", "heartbeat-interval")]
    [InlineData("heartbeatInterval", "heartbeat-interval", "heartbeat-interval")]
    [InlineData("heartbeat_interval", "heartbeat-interval", "heartbeat-interval")]
    [InlineData("x", "slots", null)]
    [InlineData("slot", "slots", "slots")]
    [InlineData("x", "ls", null)]
    [InlineData("sl", "ls", "ls")]
    [InlineData("ab", "ls", null)]
    public void Find_Slip_NamesTheCandidate(string name, string candidate, string? expected) =>
        NearestName.Find(name, ["zzzzzzzzzzzzzzz", candidate]).ShouldBe(expected);

    [Fact]
    public void Find_EquallyNear_TakesTheFirst() => NearestName.Find("pat", ["path", "part"]).ShouldBe("path");
}
