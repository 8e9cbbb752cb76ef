using System.Text.Json;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Tests.Identity;

public sealed class IdentityTests
{
    [Theory]
    [InlineData("127.0.0.1:7400", "127.0.0.1", 7400)]
    [InlineData("gpu-1.lab:0", "gpu-1.lab", 0)]
    [InlineData("[::1]:65535", "::1", 65535)]
    public void NodeAddress_Text_ComesBackTheSame(string text, string host, int port)
    {
        NodeAddress address = NodeAddress.Parse(text);
        (address.Host, address.Port).ShouldBe((host, port));
        address.ToString().ShouldBe(text);
        string json = JsonSerializer.Serialize(new Holder(address, TaskId.Parse("a-1")));
        JsonSerializer.Deserialize<Holder>(json).ShouldBe(new Holder(address, TaskId.Parse("a-1")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("host")]
    [InlineData(":7400")]
    [InlineData("host:")]
    [InlineData("host:65536")]
    [InlineData("host:-1")]
    [InlineData("::1:7400")]
    [InlineData("[]:7400")]
    [InlineData("http://host:7400")]
    public void NodeAddress_NoAddress_IsRefused(string? text)
    {
        NodeAddress.TryParse(text, out _).ShouldBeFalse();
        Should.Throw<FormatException>(() => NodeAddress.Parse(text!)).Message.ShouldContain("use host:port");
    }

    [Fact]
    public void NodeAddress_Order_IsByHostThenPort()
    {
        NodeAddress[] addresses = [new("b", 1), new("a", 20), new("a", 3)];
        addresses.Order().ShouldBe([new("a", 3), new("a", 20), new("b", 1)]);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("digits-a-k3f9")]
    [InlineData("0")]
    public void TaskId_Name_IsTaken(string text) => TaskId.Parse(text).ToString().ShouldBe(text);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("A")]
    [InlineData("a_b")]
    [InlineData("ä")]
    public void TaskId_NoName_IsRefused(string? text)
    {
        TaskId.TryParse(text, out _).ShouldBeFalse();
        Should.Throw<FormatException>(() => TaskId.Parse(text!)).Message.ShouldContain("lower-case letters");
    }

    [Fact]
    public void TaskId_Longest_Is80Characters()
    {
        TaskId.TryParse(new string('a', 80), out _).ShouldBeTrue();
        TaskId.TryParse(new string('a', 81), out _).ShouldBeFalse();
        default(TaskId).Value.ShouldBe("");
    }

    [Theory]
    [InlineData("{\"Address\":\"nowhere\",\"Task\":\"a\"}")]
    [InlineData("{\"Address\":\"a:1\",\"Task\":\"A\"}")]
    public void Json_WrongText_IsAnError(string json) => Should.Throw<JsonException>(() => JsonSerializer.Deserialize<Holder>(json));

    [Fact]
    public void DeterministicRandom_SameSeed_SameNumbersForEver()
    {
        DeterministicRandom random = new(42);
        DeterministicRandom same = new(42);
        ulong[] numbers = [.. Enumerable.Range(0, 4).Select(_ => random.NextUInt64())];
        numbers.ShouldBe([.. Enumerable.Range(0, 4).Select(_ => same.NextUInt64())]);

        // xoshiro256** after splitmix64 of 42, as its authors publish them.
        numbers[0].ShouldBe(0x15780B2E0C2EC716UL);
        new DeterministicRandom(43).NextUInt64().ShouldNotBe(numbers[0]);
    }

    [Fact]
    public void DeterministicRandom_Next_IsEvenlySpreadBelowItsBound()
    {
        DeterministicRandom random = new(1);
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++)
        {
            counts[random.Next(7)]++;
        }

        counts.ShouldAllBe(c => c > 9_500 && c < 10_500);
        Should.Throw<ArgumentOutOfRangeException>(() => random.Next(0));
    }

    private sealed record Holder(NodeAddress Address, TaskId Task);
}
