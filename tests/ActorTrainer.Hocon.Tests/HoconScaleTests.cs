using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Tests;

/// <summary>
/// What large configurations cost, by the memory that reading them takes: it counts the work, and does not depend on what else the machine
/// does. Four times the lines may take four times the work and a little; the bounds lie below the next power.
/// </summary>
public sealed class HoconScaleTests
{
    private const int Factor = 4;

    [Theory]
    [InlineData("keys", 250)]
    [InlineData("keys", 2_000)]
    [InlineData("appends", 250)]
    [InlineData("appends", 2_000)]
    [InlineData("layers", 250)]
    public void Read_FourTimesTheLines_TakesAboutFourTimesTheWork(string kind, int lines) => GrowthOf(kind, lines).ShouldBeLessThan(8);

    /// <summary>Each line takes up all the lines before it, so the square is what there is to do; it was the cube.</summary>
    [Fact]
    public void Read_RowOfObjectsOnObjects_TakesNoMoreThanTheSquare() => GrowthOf("stack", 75).ShouldBeLessThan(24);

    [Fact]
    public void Read_ManyAppends_AreAllThere() =>
        ((ConfigArray)Read("appends", 10_000).At("a", "b")!)
            .Items.Select(i => ((ConfigScalar)i).Text)
            .ShouldBe(Enumerable.Range(0, 10_000).Select(i => $"{i}"));

    private static double GrowthOf(string kind, int lines)
    {
        _ = CostOf(kind, lines);
        return (double)CostOf(kind, Factor * lines) / CostOf(kind, lines);
    }

    private static long CostOf(string kind, int lines)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        ConfigObject read = Read(kind, lines);
        long cost = GC.GetAllocatedBytesForCurrentThread() - before;
        read.Fields.ShouldNotBeEmpty();
        return cost;
    }

    private static ConfigObject Read(string kind, int lines)
    {
        IEnumerable<string> texts = Enumerable
            .Range(0, lines)
            .Select(i =>
                kind switch
                {
                    "keys" or "layers" => $"a.k{i} = {i}\nb.k{i} = ${{a.k{i}}}\n",
                    "appends" => $"a.b += {i}\n",
                    "stack" => $"a = ${{?a}} {{ k{i} = {i} }}\n",
                    _ => throw new ArgumentOutOfRangeException(nameof(kind)),
                }
            );
        return kind == "layers"
            ? HoconReader.Resolve([.. texts.Select(text => HoconReader.ParseText(text, "t.conf"))], null)
            : HoconReader.ReadText(string.Concat(texts), "t.conf");
    }
}
