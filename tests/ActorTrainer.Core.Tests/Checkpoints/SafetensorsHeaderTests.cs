using System.Buffers.Binary;
using System.Text;
using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Core.Tests.Checkpoints;

public sealed class SafetensorsHeaderTests
{
    private const string W = """{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""";

    [Fact]
    public void Parse_OfWhatWasFormatted_GivesTheSame()
    {
        TensorEntry[] tensors =
        [
            new("w", TensorKind.F32, [2, 3], 0, 24),
            new("größer \"x\"", TensorKind.F8_E4M3, [3], 24, 3),
            new("scalar", TensorKind.BOOL, [], 27, 1),
            new("none", TensorKind.I16, [4, 0], 28, 0),
        ];
        Dictionary<string, string> metadata = new() { ["step"] = "12", ["json"] = "{\"a\":1}\n" };

        byte[] bytes = SafetensorsHeader.Format(tensors, metadata);

        (bytes.Length % 8).ShouldBe(0);
        int length = SafetensorsHeader.LengthOf(bytes, bytes.Length + 28);
        length.ShouldBe(bytes.Length - 8);
        SafetensorsHeader read = SafetensorsHeader.Parse(bytes.AsSpan(8, length), 28);
        read.Tensors.Select(Text).ShouldBe(tensors.OrderBy(t => t.Offset).Select(Text));
        read.Metadata.ShouldBe(metadata, ignoreOrder: true);
        read.DataLength.ShouldBe(28);
    }

    [Fact]
    public void Format_WithAMinimum_IsFilledUpWithSpaces()
    {
        byte[] bytes = SafetensorsHeader.Format([], minimum: 64);

        bytes.Length.ShouldBe(64);
        Encoding.UTF8.GetString(bytes.AsSpan(8)).ShouldBe("{}" + new string(' ', 54));
        SafetensorsHeader.Parse(bytes.AsSpan(8), 0).Tensors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{\"w\":" + W + "}")]
    [InlineData("{\"w\":" + W + "}     \n\t")]
    [InlineData("{\"__metadata__\":{},\"w\":" + W + "}")]
    [InlineData("{\"w\":{\"data_offsets\":[0,8],\"more\":{\"a\":[1]},\"shape\":[2],\"dtype\":\"F32\"}}")]
    [InlineData(
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},\"v\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}"
    )]
    [InlineData("{\"w\":" + W + ",\"none\":{\"dtype\":\"F64\",\"shape\":[9223372036854775807,4,0],\"data_offsets\":[8,8]}}")]
    public void Parse_OfOtherForms_IsRead(string header) =>
        SafetensorsHeader.Parse(Encoding.UTF8.GetBytes(header), 8).DataLength.ShouldBe(8);

    [Theory]
    [InlineData("", "does not begin with '{'")]
    [InlineData(" {}", "does not begin with '{'")]
    [InlineData("[]", "does not begin with '{'")]
    [InlineData("{", "no JSON")]
    [InlineData("{}{}", "no JSON")]
    [InlineData("{\"w\":1}", "'w' in the header is not an object")]
    [InlineData("{\"w\":{}}", "tensor 'w' has no dtype")]
    [InlineData("{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", "has no shape")]
    [InlineData("{\"w\":{\"dtype\":\"F32\",\"shape\":[2]}}", "has no two data_offsets")]
    [InlineData("{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8]}}", "has no two data_offsets")]
    [InlineData("{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,9]}}", "no list of at most 2 numbers")]
    [InlineData("{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", "ends before it begins (8 to 0)")]
    [InlineData("{\"w\":{\"dtype\":\"f32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "kind 'f32'; known are F64, F32")]
    [InlineData("{\"w\":{\"dtype\":\"1\",\"shape\":[2],\"data_offsets\":[0,8]}}", "kind '1'")]
    [InlineData("{\"w\":{\"dtype\":3,\"shape\":[2],\"data_offsets\":[0,8]}}", "'w.dtype' in the header is not a text")]
    [InlineData("{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "has dtype twice")]
    [InlineData("{\"w\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "shape of tensor 'w' is no list")]
    [InlineData("{\"w\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", "shape of tensor 'w' is no list")]
    [InlineData("{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", "of the shape [3] in F32 does not have 8 bytes")]
    [InlineData("{\"w\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", "does not have 0 bytes")]
    [InlineData("{\"w\":" + W + ",\"w\":" + W + "}", "'w' stands in the header twice")]
    [InlineData("{\"w\":" + W + ",\"v\":" + W + "}", "inside of 'v', which ends at 8|inside of 'w', which ends at 8")]
    [InlineData("{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "bytes 0 to 4 of the data belong to no tensor")]
    [InlineData("{}", "8 bytes follow the header, of which the last 8 belong to no tensor")]
    [InlineData(
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}",
        "tensor 'w' ends at byte 12 of the data, but 8 bytes follow the header: the file was cut short"
    )]
    [InlineData("{\"__metadata__\":[],\"w\":" + W + "}", "'__metadata__' in the header is not an object of texts")]
    [InlineData("{\"__metadata__\":{\"a\":1},\"w\":" + W + "}", "'__metadata__.a' in the header is not a text")]
    [InlineData("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"},\"w\":" + W + "}", "'a' stands in __metadata__ twice")]
    [InlineData("{\"w\":[[[[[[[[[[[[]]]]]]]]]]]]}", "'w' in the header is not an object")]
    [InlineData("{\"w\":{\"x\":[[[[[[[[[[[[]]]]]]]]]]]]}}", "no JSON")]
    public void Parse_OfABadHeader_SaysWhatIsWrong(string header, string problem)
    {
        string message = Should.Throw<SafetensorsException>(() => SafetensorsHeader.Parse(Encoding.UTF8.GetBytes(header), 8)).Message;

        problem.Split('|').ShouldContain(one => message.Contains(one, StringComparison.Ordinal), message);
    }

    [Fact]
    public void Parse_OfBytesThatAreNoText_SaysWhatIsWrong()
    {
        byte[] header = [.. "{\"w"u8, 0xFF, .. "\":1}"u8];

        Should.Throw<SafetensorsException>(() => SafetensorsHeader.Parse(header)).Message.ShouldContain("no JSON");
    }

    [Theory]
    [InlineData(0UL, "a header of 0 bytes")]
    [InlineData(1UL, "a header of 1 bytes")]
    [InlineData(100_000_001UL, "a header of 100000001 bytes")]
    [InlineData(ulong.MaxValue, "a header of 18446744073709551615 bytes")]
    [InlineData(1000UL, "a header of 1000 bytes does not fit a file of 100 bytes")]
    public void LengthOf_AnAbsurdHeader_IsRefused(ulong length, string problem)
    {
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, length);

        Should.Throw<SafetensorsException>(() => SafetensorsHeader.LengthOf(prefix, 100)).Message.ShouldStartWith(problem);
        Should.Throw<SafetensorsException>(() => SafetensorsHeader.LengthOf(prefix.AsSpan(1), 7)).Message.ShouldStartWith("7 bytes are no");
    }

    [Fact]
    public void Parse_OfMoreTensorsThanAllowed_StopsThere()
    {
        StringBuilder header = new("{");
        for (int i = 0; i <= SafetensorsHeader.MaxTensors; i++)
        {
            header.Append(i == 0 ? "" : ",").Append($"\"{i}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
        }

        byte[] bytes = Encoding.UTF8.GetBytes(header.Append('}').ToString());

        Should.Throw<SafetensorsException>(() => SafetensorsHeader.Parse(bytes)).Message.ShouldContain("more than 500000 tensors");
    }

    [Fact]
    public void Parse_OfALongName_SaysItsBeginning()
    {
        string header = $"{{\"{new string('x', 5000)}\":1}}";

        Should
            .Throw<SafetensorsException>(() => SafetensorsHeader.Parse(Encoding.UTF8.GetBytes(header)))
            .Message.Length.ShouldBeLessThan(300);
    }

    private static string Text(TensorEntry tensor) =>
        $"{tensor.Name} {tensor.Kind} {TensorEntry.Format(tensor.Shape)} {tensor.Offset} {tensor.Length}";
}
