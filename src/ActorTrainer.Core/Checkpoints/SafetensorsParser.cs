using System.Text.Json;

namespace ActorTrainer.Core.Checkpoints;

/// <summary>Reads the JSON of a safetensors header, token by token: what stands in it twice, or is of another form, is an error.</summary>
internal ref struct SafetensorsParser
{
    private const int Depth = 8;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private Utf8JsonReader _json;

    public SafetensorsParser(ReadOnlySpan<byte> header)
    {
        if (header.Length == 0 || header[0] != (byte)'{')
        {
            throw new SafetensorsException("the header does not begin with '{', as one of a safetensors file does.");
        }

        _json = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = Depth });
    }

    /// <summary>The tensors, in the order of the header.</summary>
    public List<TensorEntry> Tensors { get; } = [];

    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    public void Read()
    {
        _ = _json.Read();
        while (NextName() is { } name)
        {
            if (!_names.Add(name))
            {
                throw new SafetensorsException($"'{Short(name)}' stands in the header twice.");
            }

            if (name == "__metadata__")
            {
                ReadMetadata();
                continue;
            }

            if (Tensors.Count == SafetensorsHeader.MaxTensors)
            {
                throw new SafetensorsException($"the file has more than {SafetensorsHeader.MaxTensors} tensors.");
            }

            Tensors.Add(ReadTensor(name));
        }

        // Whatever follows the object is an error of JSON, but for spaces.
        while (_json.Read()) { }
    }

    private string? NextName()
    {
        _ = _json.Read();
        return _json.TokenType == JsonTokenType.EndObject ? null : _json.GetString()!;
    }

    private void ReadMetadata()
    {
        Begin(JsonTokenType.StartObject, "__metadata__", "an object of texts");
        while (NextName() is { } name)
        {
            Begin(JsonTokenType.String, $"__metadata__.{name}", "a text");
            if (!Metadata.TryAdd(name, _json.GetString()!))
            {
                throw new SafetensorsException($"'{Short(name)}' stands in __metadata__ twice.");
            }
        }
    }

    private TensorEntry ReadTensor(string name)
    {
        TensorKind? kind = null;
        List<long>? shape = null;
        List<long>? place = null;
        Begin(JsonTokenType.StartObject, name, "an object with dtype, shape and data_offsets");
        while (NextName() is { } field)
        {
            switch (field)
            {
                case "dtype" when kind is null:
                    kind = ReadKind(name);
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(name, field, SafetensorsHeader.MaxDimensions);
                    break;
                case "data_offsets" when place is null:
                    place = ReadNumbers(name, field, 2);
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw new SafetensorsException($"tensor '{Short(name)}' has {field} twice.");
                default:
                    _json.Skip();
                    break;
            }
        }

        return Checked(name, kind, shape, place);
    }

    private TensorKind ReadKind(string name)
    {
        Begin(JsonTokenType.String, $"{name}.dtype", "a text");
        string text = _json.GetString()!;
        return TensorKinds.TryParse(text, out TensorKind kind)
            ? kind
            : throw new SafetensorsException(
                $"tensor '{Short(name)}' holds numbers of the kind '{Short(text)}'; "
                    + $"known are {string.Join(", ", Enum.GetNames<TensorKind>())}."
            );
    }

    private List<long> ReadNumbers(string name, string field, int most)
    {
        List<long> numbers = [];
        Begin(JsonTokenType.StartArray, $"{name}.{field}", "a list of numbers");
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (_json.TokenType != JsonTokenType.Number || !_json.TryGetInt64(out long number) || number < 0 || numbers.Count == most)
            {
                throw new SafetensorsException(
                    $"{field} of tensor '{Short(name)}' is no list of at most {most} numbers from 0 to {long.MaxValue}."
                );
            }

            numbers.Add(number);
        }

        return numbers;
    }

    private static TensorEntry Checked(string name, TensorKind? kind, List<long>? shape, List<long>? place)
    {
        if (kind is not { } known || shape is null || place is not [long begin, long end] || end < begin)
        {
            string missing =
                kind is null ? "has no dtype"
                : shape is null ? "has no shape"
                : place is not [_, _] ? "has no two data_offsets"
                : $"ends before it begins ({place[0]} to {place[1]})";
            throw new SafetensorsException($"tensor '{Short(name)}' {missing}.");
        }

        long count = TensorEntry.CountOf(shape);
        return count >= 0 && (UInt128)count * (UInt128)TensorKinds.SizeOf(known) == (UInt128)(end - begin)
            ? new TensorEntry(name, known, shape, begin, end - begin)
            : throw new SafetensorsException(
                $"tensor '{Short(name)}' of the shape {TensorEntry.Format(shape)} in {known} does not have {end - begin} bytes, "
                    + $"which it is said to have ({begin} to {end})."
            );
    }

    private void Begin(JsonTokenType type, string what, string form)
    {
        _ = _json.Read();
        if (_json.TokenType != type)
        {
            throw new SafetensorsException($"'{Short(what)}' in the header is not {form}.");
        }
    }

    /// <summary>A name may have as many characters as the header.</summary>
    private static string Short(string text) => text.Length <= 100 ? text : $"{text[..100]}…";
}
