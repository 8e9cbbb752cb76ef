using System.Formats.Tar;
using System.Text;
using ActorTrainer.Checkpoints.Bundles;

namespace ActorTrainer.Checkpoints.Tests.Bundles;

/// <summary>Archives whose entries say their size twice, as those of more than 8 GiB have to.</summary>
public sealed class TarGuardTests
{
    private const int Block = 512;

    [Fact]
    public async Task Read_SizeInARecord_IsThatOfTheNextEntryWhereLargeOnesAreTaken()
    {
        byte[] archive = Archive("12 size=600\n", new byte[600]);

        List<(string, long)> entries = [];
        await using TarGuard guard = new(new MemoryStream(archive), long.MaxValue, large: true);
        await using TarReader tar = new(guard);
        while (await tar.GetNextEntryAsync(copyData: false) is { } entry)
        {
            entries.Add((entry.Name, entry.Length));
        }

        entries.ShouldBe([("first", 600), ("second", 3)]);
        await ShouldBeRefusedAsync(archive, large: false);
    }

    [Theory]
    [InlineData("12 size=600\n12 size=700\n")]
    [InlineData("12 size=-60\n")]
    [InlineData("8 size=\n")]
    [InlineData("28 size=9223372036854775807\n")]
    [InlineData("30 size=999999999999999999999\n")]
    public Task Read_SizesThatCannotBe_AreRefused(string records) => ShouldBeRefusedAsync(Archive(records, new byte[600]), large: true);

    private static async Task ShouldBeRefusedAsync(byte[] archive, bool large)
    {
        using TarGuard guard = new(new MemoryStream(archive), long.MaxValue, large);
        (await Should.ThrowAsync<BundleException>(() => guard.CopyToAsync(Stream.Null))).Message.ShouldContain("two sizes");
    }

    private static byte[] Archive(string records, byte[] first) =>
        [
            .. Entry("records", 'x', Encoding.ASCII.GetBytes(records)),
            .. Entry("first", '0', first, said: 0),
            .. Entry("second", '0', [1, 2, 3]),
            .. new byte[2 * Block],
        ];

    private static byte[] Entry(string name, char type, byte[] content, long? said = null)
    {
        byte[] header = new byte[Block];
        Encoding.ASCII.GetBytes(name).CopyTo(header, 0);
        Encoding.ASCII.GetBytes("0000644\0").CopyTo(header, 100);
        Encoding.ASCII.GetBytes(Convert.ToString(said ?? content.Length, 8).PadLeft(11, '0')).CopyTo(header, 124);
        Encoding.ASCII.GetBytes("00000000000\0        ").CopyTo(header, 136);
        header[156] = (byte)type;
        Encoding.ASCII.GetBytes("ustar\u000000").CopyTo(header, 257);
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        byte[] padded = new byte[(content.Length + Block - 1) / Block * Block];
        content.CopyTo(padded, 0);
        return [.. header, .. padded];
    }
}
